import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import { taskIdOf } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { bundleName } from '../../../shared/messaging/bundle-store.ts';
import { openRepository, type RepoManagerContext } from '../context.ts';

/** Adds the verdict to the change request, and lets go of what its task used. */
export async function postReview(
  context: RepoManagerContext,
  job: Job,
  effect: Extract<Effect, { type: 'PostReview' }>,
): Promise<EffectOutcome> {
  const { forge, repository } = await openRepository(context, job);
  if (job.changeRequest) await forge.postReview(repository, job.changeRequest.number, effect.review);
  const taskId = taskIdOf(job.id, 'reviewer', effect.review.round);
  if (job.lastTask?.id === taskId) await context.bundles.remove([bundleName(repository.key, taskId, job.lastTask.dispatch, 'in')]);
  return { type: 'Done' };
}
