import type { ChangeRequest, Failure } from './change.ts';
import { cancelled, completed, failed, waiting } from './ending.ts';
import type { EffectOutcome } from './effect.ts';
import type { CommitId, Instant } from './ids.ts';
import type { Job } from './job.ts';
import { nextRound, sendTask } from './sending.ts';
import { withEffects } from './step.ts';

export function merged(job: Job, outcome: Extract<EffectOutcome, { type: 'Merged' }>, at: Instant): Job {
  const request = job.changeRequest;
  const changeRequest: ChangeRequest | undefined = request && {
    ...request,
    state: 'merged',
    merged: true,
    mergeCommit: outcome.mergeCommit,
    mergedAt: at,
  };
  const checks = outcome.checks.length > 0 ? { checks: outcome.checks } : {};
  return completed({ ...job, baseCommit: outcome.baseCommit, ...checks, ...(changeRequest ? { changeRequest } : {}) }, at);
}

/** A base that a job's change does not go together with, and the settings on it. */
type NewerBase = Pick<Extract<EffectOutcome, { type: 'MergeConflicted' }>, 'baseCommit' | 'settings'>;

/**
 * The newest base and the judged head don't go together: a round on the same branch, with that base merged in. What that base says
 * about checks holds from now on.
 */
export function conflicted(job: Job, { baseCommit, settings }: NewerBase, paths: readonly string[], at: Instant): Job {
  if (job.stopRequested) return cancelled(job, at);
  if (job.conflictRounds >= job.conflictRoundsAllowed) return failed(job, conflictLimit(job, paths), at);
  const found = withEffects(
    { ...job, conflictRounds: job.conflictRounds + 1, mergeWith: baseCommit, settings },
    { type: 'PublishEvent', event: { type: 'ConflictFound', round: job.round, baseCommit, paths: [...paths] } },
  );
  return nextRound(found, at);
}

/** The base is checked out somewhere with changes of the user's: never touch them, ask, and look again with every sweep. */
export function treeDirty(job: Job, outcome: Extract<EffectOutcome, { type: 'TreeDirty' }>, at: Instant): Job {
  if (job.stopRequested) return cancelled(job, at);
  const base = job.base ?? 'the base branch';
  return waiting(
    job,
    {
      kind: 'dirty_tree',
      message: `${base} is checked out in ${outcome.location} with changes that are not committed (${outcome.paths.join(', ')}). Commit or stash them; the merge is tried again every minute.`,
      command: `git -C ${outcome.location} stash`,
    },
    'merging',
  );
}

/** Somebody moved the job's branch: what is there now has not been judged by anyone, so it is reviewed. */
export function headMoved(job: Job, headCommit: CommitId, at: Instant): Job {
  if (job.stopRequested) return cancelled(job, at);
  // A round of its own, so that its review is a task of its own; it is not one of the coder's.
  const changeRequest = job.changeRequest && { ...job.changeRequest, headCommit };
  const moved = {
    ...job,
    ...(changeRequest ? { changeRequest } : {}),
    headCommit,
    round: job.round + 1,
    roundsAllowed: job.roundsAllowed + 1,
  };
  return sendTask(moved, 'reviewer', at);
}

function conflictLimit(job: Job, paths: readonly string[]): Failure {
  return {
    code: 'conflict_limit',
    message: `The change still conflicts with ${job.base ?? 'its base'} after ${String(job.conflictRounds)} conflict rounds (${paths.join(', ')}).`,
    retryable: true,
  };
}
