import { partsOfTaskId, type JobId } from '../../shared/domain/ids.ts';
import { isTerminal, type Job } from '../../shared/domain/job.ts';
import { NotFoundError } from '../../shared/errors/errors.ts';
import type { Clock } from '../../shared/lifecycle/clock.ts';
import type { RepoManagerContext } from './context.ts';
import { lastDispatchOf, tidyUpAndClose } from './effects/close-job.ts';
import { removeClaim } from './effects/revoke-task.ts';
import type { JobHandler } from './job-handler.ts';
import { createLimiter } from './keyed-queue.ts';
import { lookAfterStranded, type Strandings } from './stranded.ts';

const AT_ONCE = 8;
/** The checks of a merge may take an hour. */
const WAIT_FOR_JOB_MS = 5_000;

/**
 * Looks at every job that has not been closed: carries out what a crash left pending, tries again what waits for something
 * outside, and finds tasks that were lost. Its cost depends on open jobs alone, not on history. A job that takes long is left
 * to itself after 5 s, so that it holds up neither the others nor the next sweep.
 *
 * @returns what is still under way when all have been looked at
 */
export async function sweep(context: RepoManagerContext, handler: JobHandler, strandings: Strandings): Promise<readonly Promise<void>[]> {
  const limit = createLimiter(AT_ONCE);
  const open = await context.store.openJobs();
  const left = new Set<Promise<void>>();
  await Promise.all(open.map((jobId) => limit(() => waitAWhile(context.clock, sweepJob(context, handler, jobId), left))));
  await sweepClaims(context);
  await sweepBundles(context);
  await context.mergeLock.removeAbandoned();
  const skipped = await context.bus.skipNumbersGivenOut();
  if (skipped > 0) context.log.warn({ skipped }, 'the server has forgotten its newest tasks: their numbers are not used again');
  const removed = await context.bus.removeAcknowledged();
  if (removed > 0) context.log.warn({ removed }, 'removed messages that were acknowledged before');
  const handling = await lookAfterStranded(context, handler, strandings);
  await Promise.all(handling.map((work) => waitAWhile(context.clock, work, left)));
  return [...left];
}

/** Waits for the work, but not for ever: what takes longer is kept in `left` until it has ended. */
async function waitAWhile(clock: Clock, work: Promise<void>, left: Set<Promise<void>>): Promise<void> {
  const waited = new AbortController();
  left.add(work);
  const ended = work.finally(() => {
    left.delete(work);
    waited.abort();
  });
  await Promise.race([ended, clock.sleep(WAIT_FOR_JOB_MS, waited.signal)]);
}

async function sweepJob(context: RepoManagerContext, handler: JobHandler, jobId: JobId): Promise<void> {
  try {
    // Somebody is at it: that is looking after it too.
    if (handler.isBusy(jobId)) return;
    const entry = await context.store.load(jobId);
    // An id without a record: its request is still to be handled. A job of another host is that one's business.
    if (!entry || (entry.value.host !== undefined && entry.value.host !== context.host)) return;
    const job = await handler.handle(jobId, { type: 'Swept', taskMessage: await lookForTask(context, entry.value), at: context.now() });
    if (isTerminal(job.status) && job.pending.length === 0) await tidyUpAndClose(context, job);
  } catch (error) {
    context.log.warn({ jobId, err: error }, 'a swept job is left for the next sweep');
  }
}

/** A message that is gone means little while inputs of the job are still to be handled: one of them may be its result. */
async function lookForTask({ bus, claims }: RepoManagerContext, { id, task }: Job): Promise<'present' | 'absent' | 'unknown'> {
  if (task?.streamSeq === undefined) return 'unknown';
  // Of several copies of a message the one that was taken up counts.
  const claim = (await claims.get(task.id))?.value;
  if (await bus.hasTask(claim?.dispatch === task.dispatch ? claim.streamSeq : task.streamSeq)) return 'present';
  return (await bus.hasInputs(id)) ? 'unknown' : 'absent';
}

/** Claims on tasks of jobs that have ended: an agent died between claiming one and seeing that it was no longer wanted. */
async function sweepClaims(context: RepoManagerContext): Promise<void> {
  for (const { key: taskId } of await context.claims.all()) {
    try {
      const job = await context.store.load(partsOfTaskId(taskId).jobId);
      if (job && isTerminal(job.value.status)) await removeClaim(context, taskId, lastDispatchOf(job.value, taskId)).catch(ignoreMissing);
    } catch (error) {
      // One record that can't be read must not keep the claims of all the others.
      context.log.warn({ taskId, err: error }, 'a claim could not be looked at');
    }
  }
}

/**
 * Bundles of jobs that have ended: of dispatches and attempts that came to nothing, and those made for an agent that asked. Listed before
 * the jobs are looked at: what a retry stores meanwhile is not among them.
 */
async function sweepBundles({ bundles, store, log }: RepoManagerContext): Promise<void> {
  for (const stored of await bundles.jobs()) {
    try {
      const job = await store.load(stored.jobId);
      if (job && isTerminal(job.value.status) && job.value.pending.length === 0) await stored.remove();
    } catch (error) {
      log.warn({ jobId: stored.jobId, err: error }, "an ended job's bundles are left for the next sweep");
    }
  }
}

/**
 * Tidies up after a repo-manager that was paused over a job while another brought it to its end, and that died over it when it went on. For
 * the start alone: jobs that can be retried keep their commits, so that the cost of looking does depend on history. `signal` ends it.
 */
export async function sweepAtStart(context: RepoManagerContext, signal: AbortSignal): Promise<void> {
  const parts = [...Object.values(context.forges).map((forge) => forge.settleBegun()), sweepPins(context, signal)];
  for (const part of await Promise.allSettled(parts))
    if (part.status === 'rejected')
      context.log.warn({ err: part.reason as unknown }, 'what an earlier process left is left for the next start');
}

/** Lets go of commits of jobs that were merged. */
async function sweepPins({ pinnedJobs, store, log }: RepoManagerContext, signal: AbortSignal): Promise<void> {
  for (const pinned of await pinnedJobs()) {
    if (signal.aborted) return;
    try {
      if ((await store.load(pinned.jobId))?.value.status === 'COMPLETED') await pinned.unpin();
    } catch (error) {
      log.warn({ jobId: pinned.jobId, err: error }, "an ended job's commits are left for the next start");
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
