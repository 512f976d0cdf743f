import { type JetStreamManager, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { JobId } from '../../shared/domain/ids.ts';
import { isTerminal } from '../../shared/domain/job.ts';
import { TaskMessage } from '../../shared/messages/task.ts';
import { deliveredMessages } from '../../shared/messaging/delivered.ts';
import { type Delivery, deliveryOfStored } from '../../shared/messaging/delivery.ts';
import { deleteStreamMessage } from '../../shared/messaging/stream-message.ts';
import { consumerPlans, STREAMS } from '../../shared/messaging/topology.ts';
import type { RepoManagerContext } from './context.ts';
import type { JobHandler } from './job-handler.ts';

export interface Strandings {
  /** How long ago a message has to have been stored (milliseconds): longer than a lease and than any delay of a redelivery. */
  readonly afterMs: number;
  /** Handles an input as if it had just been delivered; resolves when it is settled. */
  readonly takeUp: (delivery: Delivery) => Promise<void>;
}

/**
 * Looks after messages that nobody is given any more. Killed with -9, a server may come back with a message that its consumer takes for
 * acknowledged, and behind one that the consumer waits for and the stream has lost; the acknowledgement floor then never moves again (seen
 * with 2.9.10). An input like that is handled now, which for one that was handled before changes nothing; tasks of jobs that have ended
 * are removed.
 *
 * @returns what was done about inputs, each settling for itself: one may wait for the checks of a merge
 */
export async function lookAfterStranded(
  context: RepoManagerContext,
  handler: JobHandler,
  strandings: Strandings,
): Promise<Promise<void>[]> {
  const jsm = await jetstreamManager(context.nc, { checkAPI: false });
  await removeEndedTasks(context, jsm, strandings.afterMs);
  const handled: Promise<void>[] = [];
  for (const plan of plansOf(STREAMS.inputs))
    for await (const message of deliveredMessages(jsm, plan)) {
      if (!isOld(context, message, strandings.afterMs)) continue;
      const jobId = jobOf(message.subject);
      // It may be this very one that is in hand.
      if (jobId !== undefined && handler.isBusy(jobId)) continue;
      context.log.warn({ subject: message.subject, seq: message.seq }, 'an input that nobody was given is taken up');
      handled.push(strandings.takeUp(deliveryOfStored(jsm, STREAMS.inputs, message)));
    }
  return handled;
}

async function removeEndedTasks(context: RepoManagerContext, jsm: JetStreamManager, afterMs: number): Promise<void> {
  for (const plan of plansOf(STREAMS.tasks))
    for await (const message of deliveredMessages(jsm, plan)) {
      if (!isOld(context, message, afterMs)) continue;
      const task = TaskMessage.safeParse(parsed(message.string())).data;
      const job = task && (await context.store.load(task.jobId))?.value;
      if (job && isTerminal(job.status) && job.pending.length === 0) await deleteStreamMessage(jsm, STREAMS.tasks, message.seq);
    }
}

function plansOf(stream: string) {
  return consumerPlans.filter((plan) => plan.stream === stream);
}

function isOld({ now }: RepoManagerContext, { time }: StoredMsg, afterMs: number): boolean {
  return now() - time.getTime() > afterMs;
}

function jobOf(subject: string): JobId | undefined {
  return JobId.safeParse(subject.split('.').at(-1)).data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
