import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import { branchOf, type TaskId, taskIdOf } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import type { Commits } from '../commits.ts';
import { openRepository, type RepoManagerContext } from '../context.ts';
import { removeClaim } from './revoke-task.ts';

export async function closeJob(
  context: RepoManagerContext,
  job: Job,
  effect: Extract<Effect, { type: 'CloseJob' }>,
): Promise<EffectOutcome> {
  const commits = await tidyUp(context, job);
  if (effect.merged) await commits?.maintain();
  return { type: 'Done' };
}

/**
 * Removes what an ended job used. Its branch stays unless it was merged, and what is pinned for a retry with it.
 *
 * @returns the mirror, where it had to be looked at
 */
export async function tidyUp(context: RepoManagerContext, job: Job): Promise<Commits | undefined> {
  await removeClaims(context, job);
  if (job.status !== 'COMPLETED') return undefined;
  const { commits } = await openRepository(context, job);
  await commits.unpin(job.id);
  return commits;
}

/**
 * Takes a job that has ended, and has nothing left to do, out of the open ones: the very last step, so that a crash before it
 * leaves the job to the sweep.
 */
export async function takeFromOpen(context: RepoManagerContext, job: Job): Promise<void> {
  await context.store.close(job.id);
  // Looked at again: an agent that claimed a task meanwhile did so while the job was open; from now on it sees that it is not.
  await removeClaims(context, job);
}

/**
 * The last dispatch of a task that the record knows. A later one is none of this repo-manager's business: the job was retried while it
 * was paused. Only the last task can be sent out again.
 */
export function lastDispatchOf({ lastTask }: Job, taskId: TaskId): number | undefined {
  return lastTask?.id === taskId ? lastTask.dispatch : undefined;
}

/** The same for a job that may have been closed before: what this process has made since, or could not tidy up then, is nobody's. */
export async function tidyUpAndClose(context: RepoManagerContext, job: Job): Promise<void> {
  await tidyUp(context, job);
  if (job.status === 'COMPLETED') {
    const { forge, repository } = await openRepository(context, job);
    await forge.removeMergedBranch(repository, branchOf(job.id));
  }
  await takeFromOpen(context, job);
}

async function removeClaims(context: RepoManagerContext, job: Job): Promise<void> {
  const rounds = Array.from({ length: job.round }, (_, index) => index + 1);
  const tasks = rounds.flatMap((round) => [taskIdOf(job.id, 'coder', round), taskIdOf(job.id, 'reviewer', round)]);
  await Promise.all(tasks.map((taskId) => removeClaim(context, taskId, lastDispatchOf(job, taskId))));
}
