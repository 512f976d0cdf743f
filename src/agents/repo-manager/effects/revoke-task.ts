import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import type { TaskId } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { isBundleOf } from '../../../shared/messaging/bundle-store.ts';
import type { RepoManagerContext } from '../context.ts';

/**
 * Ends a dispatch of a task, wherever it is: its message goes from the queue, its claim from the bucket. An agent that has
 * it in hand finds its claim gone; the word on core NATS only has it look at once.
 */
export async function revokeTask(
  context: RepoManagerContext,
  _job: Job,
  effect: Extract<Effect, { type: 'RevokeTask' }>,
): Promise<EffectOutcome> {
  // Of several copies of a message the one that was taken up may be another than the one that we know of.
  const taken = (await context.claims.get(effect.taskId))?.value;
  const copies = [effect.streamSeq, taken?.dispatch === effect.dispatch ? taken.streamSeq : undefined];
  for (const seq of new Set(copies)) if (seq !== undefined) await context.bus.removeTask(seq);
  await removeClaim(context, effect.taskId, effect.dispatch);
  return { type: 'Done' };
}

/** Removes the claim on a task unless a later dispatch raised it, with what it left behind. */
export async function removeClaim(context: RepoManagerContext, taskId: TaskId, upToDispatch = Number.POSITIVE_INFINITY): Promise<void> {
  for (;;) {
    const claim = await context.claims.get(taskId);
    if (!claim || claim.value.dispatch > upToDispatch) return;
    if (!(await context.claims.remove(taskId, claim.revision))) continue;
    // Who writes a claim may name what it likes.
    if (claim.value.wip && isBundleOf(claim.value.wip, taskId)) await context.bundles.remove([claim.value.wip.name]);
    context.bus.cancel(taskId);
    return;
  }
}
