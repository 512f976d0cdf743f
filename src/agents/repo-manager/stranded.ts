import { JobId } from '../../shared/domain/ids.ts';
import { isTerminal } from '../../shared/domain/job.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import type { RepoManagerContext } from './context.ts';
import type { JobHandler } from './job-handler.ts';

export interface Strandings {
  /** How long ago a message has to have been stored (milliseconds): longer than a lease and than any delay of a redelivery. */
  readonly afterMs: number;
  /** Handles an input as if it had just been delivered; resolves when it is settled. */
  readonly takeUp: (delivery: Delivery) => Promise<void>;
  /** The same for a request. */
  readonly takeUpRequest: (delivery: Delivery) => Promise<void>;
  readonly requests: RequestsLookedAt;
}

/** Which requests have been looked at: each is once, and again as long as its job has no record. */
export interface RequestsLookedAt {
  next: number | undefined;
  readonly missing: Map<number, { readonly delivery: Delivery; tries: number }>;
}

/** What can't be handled at all has no record either: it is among the dead letters. */
const TRIES = 5;

export function noRequestsLookedAt(): RequestsLookedAt {
  return { next: undefined, missing: new Map() };
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
  strandings: Strandings,
): Promise<Promise<void>[]> {
  const before = context.now() - strandings.afterMs;
  await removeEndedTasks(context, before);
  const handled = await lookAfterRequests(context, handler, strandings, before);
  for (const delivery of await context.bus.oldInputs(before)) {
    const jobId = jobOf(delivery);
    // It may be this very one that is in hand.
    if (jobId !== undefined && handler.isBusy(jobId)) continue;
    context.log.warn({ subject: delivery.subject, seq: delivery.streamSeq }, 'an input that nobody was given is taken up');
    handled.push(strandings.takeUp(delivery));
  }
  return handled;
}

async function lookAfterRequests(
  { bus, store, log }: RepoManagerContext,
  handler: JobHandler,
  { requests, takeUpRequest }: Strandings,
  before: number,
): Promise<Promise<void>[]> {
  const { deliveries, next } = await bus.oldRequests(requests.next, before);
  for (const delivery of deliveries) requests.missing.set(delivery.streamSeq, { delivery, tries: 0 });
  requests.next = next;
  const handled: Promise<void>[] = [];
  for (const [seq, request] of requests.missing) {
    const jobId = jobOf(request.delivery);
    if (jobId === undefined || request.tries >= TRIES || (await store.load(jobId)) !== null) {
      requests.missing.delete(seq);
    } else if (!handler.isBusy(jobId)) {
      log.warn({ jobId, seq }, 'a request that nobody was given is taken up');
      request.tries += 1;
      handled.push(takeUpRequest(request.delivery));
    }
  }
  return handled;
}

function jobOf({ subject }: Delivery): JobId | undefined {
  return JobId.safeParse(subject.split('.').at(-1)).data;
}

async function removeEndedTasks({ bus, store }: RepoManagerContext, before: number): Promise<void> {
  for (const { jobId, streamSeq } of await bus.oldTasks(before)) {
    const job = (await store.load(jobId))?.value;
    if (job && isTerminal(job.status) && job.pending.length === 0) await bus.removeTask(streamSeq);
  }
}
