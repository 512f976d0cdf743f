import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import { taskIdOf } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { maintainMirror } from '../../../shared/git/mirror.ts';
import { unpin } from '../../../shared/git/refs.ts';
import { openRepository, type RepoManagerContext } from '../context.ts';
import { removeClaim } from './revoke-task.ts';

/** Removes what an ended job used. Its branch stays unless it was merged, and what is pinned for a retry with it. */
export async function closeJob(
  context: RepoManagerContext,
  job: Job,
  effect: Extract<Effect, { type: 'CloseJob' }>,
): Promise<EffectOutcome> {
  const rounds = Array.from({ length: job.round }, (_, index) => index + 1);
  const tasks = rounds.flatMap((round) => [taskIdOf(job.id, 'coder', round), taskIdOf(job.id, 'reviewer', round)]);
  const removeClaims = (): Promise<unknown> => Promise.all(tasks.map((taskId) => removeClaim(context, taskId)));
  await removeClaims();
  if (effect.merged) {
    const { git } = await openRepository(context, job);
    await unpin(git, job.id);
    await maintainMirror(git);
  }
  await context.store.close(job.id);
  // Looked at again: an agent that claimed a task meanwhile did so while the job was open; from now on it sees that it is not.
  await removeClaims();
  return { type: 'Done' };
}
