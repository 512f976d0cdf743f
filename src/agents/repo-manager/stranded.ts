import { isTerminal } from '../../shared/domain/job.ts';
import { jobIdIn } from '../../shared/messages/subjects.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import type { RepoManagerContext } from './context.ts';
import type { JobHandler } from './job-handler.ts';
import type { RequestWatch } from './request-watch.ts';

export interface Strandings {
  /** How long ago a message has to have been stored (milliseconds): longer than a lease and than any delay of a redelivery. */
  readonly afterMs: number;
  /** Handles an input as if it had just been delivered; resolves when it is settled. */
  readonly takeUp: (delivery: Delivery) => Promise<void>;
  /** The same for a request. */
  readonly takeUpRequest: (delivery: Delivery) => Promise<void>;
  readonly requests: RequestWatch;
}

/**
 * Looks after messages that nobody is given any more. Killed with -9, a server may come back with a message that its consumer takes for
 * acknowledged, and behind one that the consumer waits for and the stream has lost; the acknowledgement floor then never moves again; or with
 * a stream that gives numbers out again that its consumers know (all seen with 2.9.10). An input like that is handled now, which for one that was
 * handled before changes nothing; so is a request whose job has no record; tasks of jobs that have ended are removed.
 *
 * @returns what was done about inputs and requests, each settling for itself: one may wait for the checks of a merge
 */
export async function lookAfterStranded(
  context: RepoManagerContext,
  handler: JobHandler,
  { afterMs, requests, takeUp, takeUpRequest }: Strandings,
): Promise<Promise<void>[]> {
  const { bus, log } = context;
  const before = context.now() - afterMs;
  await removeEndedTasks(context, before);
  const handled: Promise<void>[] = [];
  for (const { jobId, delivery } of await requests.withoutRecord(before)) {
    log.warn({ jobId, seq: delivery.streamSeq }, 'a request that nobody was given is taken up');
    handled.push(takeUpRequest(delivery));
  }
  for (const delivery of await bus.strandedInputs(before)) {
    const jobId = jobIdIn(delivery.subject);
    // It may be this very one that is in hand.
    if (jobId !== undefined && handler.isBusy(jobId)) continue;
    log.warn({ subject: delivery.subject, seq: delivery.streamSeq }, 'an input that nobody was given is taken up');
    handled.push(takeUp(delivery));
  }
  return handled;
}

async function removeEndedTasks({ bus, store }: RepoManagerContext, before: number): Promise<void> {
  for (const { jobId, streamSeq } of await bus.oldTasks(before)) {
    const job = (await store.load(jobId))?.value;
    if (job && isTerminal(job.status) && job.pending.length === 0) await bus.removeTask(streamSeq);
  }
}
