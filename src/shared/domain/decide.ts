import type { Failure } from './change.ts';
import { command } from './commands.ts';
import { effectDelayed, withoutDelay } from './delayed.ts';
import type { Effect, EffectOutcome, EffectReport } from './effect.ts';
import { cancelled, failed } from './ending.ts';
import { acceptedWork, changeProposed, finishImplementation, refusedWork } from './implementing.ts';
import type { Instant } from './ids.ts';
import type { JobInput } from './input.ts';
import { isTerminal, type Job } from './job.ts';
import { conflicted, headMoved, merged, treeDirty } from './merging.ts';
import { finishReview, merging } from './reviewing.ts';
import { acceptRequest, repositoryPrepared } from './starting.ts';
import { spend } from './spending.ts';
import { failTask, startTask, sweepTask, taskSent } from './tasks.ts';

/** What is told and tidied beside a job: that it can't be done decides nothing, least of all while a merge is under way. */
const BESIDE: readonly Effect['type'][] = ['PostReview', 'PublishEvent', 'RevokeTask', 'CloseJob'];

/**
 * The job as it is after `input`. Its pending effects are what has to be done about it.
 *
 * Pure: no clock, no I/O, no randomness. Any input may come twice, late, or for a job that has ended; one that has
 * nothing to say returns the very same job, so that a caller sees by identity that there is nothing to store.
 *
 * @param job the job so far, or null before its first record
 * @throws RangeError for any input but `FeatureRequested` when there is no job
 */
export function decide(job: Job | null, input: JobInput): Job {
  if (job === null) {
    if (input.type !== 'FeatureRequested') throw new RangeError(`${input.type} for a job that does not exist`);
    return acceptRequest(input.request, input.at);
  }
  const next = react(job, input);
  return next === job ? job : { ...next, updatedAt: Math.max(job.updatedAt, input.at) };
}

function react(before: Job, input: JobInput): Job {
  // Whatever becomes of the report.
  const job = 'usage' in input ? spend(before, input) : before;
  switch (input.type) {
    case 'FeatureRequested':
      return job;
    case 'TaskStarted':
      return startTask(job, input);
    case 'ImplementationFinished':
      return finishImplementation(job, input);
    case 'ReviewFinished':
      return finishReview(job, input);
    case 'TaskFailed':
      return failTask(job, input);
    case 'UsageReported':
      return job;
    case 'StopRequested':
    case 'ApproveRequested':
    case 'RejectRequested':
    case 'RetryRequested':
      return command(job, input);
    case 'Swept':
      return swept(job, input);
    case 'EffectFinished':
      return effectFinished(job, input);
    case 'EffectDelayed':
      return effectDelayed(job, input);
  }
}

function swept(job: Job, input: Extract<JobInput, { type: 'Swept' }>): Job {
  const mergeIsDue = job.status === 'WAITING_APPROVAL' && job.needs?.kind === 'dirty_tree' && job.pending.length === 0;
  if (!mergeIsDue || job.headCommit === undefined) return sweepTask(job, input);
  const { needs } = job;
  // The need stands until the merge succeeds: nobody should see it flicker.
  const again = merging(job, job.headCommit, input.at);
  return { ...again, status: 'WAITING_APPROVAL', needs };
}

function effectFinished(job: Job, report: EffectReport): Job {
  const finished = job.pending.find(({ id }) => id === report.effectId);
  if (!finished) return job;
  const rest: Job = { ...withoutDelay(job), pending: job.pending.filter((pending) => pending !== finished) };
  // What a job that has ended still does (post a review, tidy up) decides nothing any more.
  return isTerminal(job.status) ? rest : afterEffect(rest, finished.effect, report.outcome, report.at);
}

function afterEffect(job: Job, effect: Effect, outcome: EffectOutcome, at: Instant): Job {
  switch (outcome.type) {
    case 'Done':
      return job;
    case 'RepositoryPrepared':
      return repositoryPrepared(job, outcome, at);
    case 'TaskSent':
      return taskSent(job, effect, outcome.streamSeq);
    case 'WorkAccepted':
      return acceptedWork(job, outcome);
    case 'ChangeProposed':
      // Somebody's commits may have come on top of ours: the branch as it is now is what is judged.
      return changeProposed({ ...job, changeRequest: outcome.changeRequest, headCommit: outcome.changeRequest.headCommit }, at);
    case 'Merged':
      return merged(job, outcome, at);
    case 'MergeConflicted':
      return conflicted(job, outcome, outcome.paths, at);
    case 'MergeCheckFailed':
      return conflicted({ ...job, checks: outcome.checks }, outcome, [], at);
    case 'TreeDirty':
      return treeDirty(job, outcome, at);
    case 'HeadMoved':
      return headMoved(job, outcome.headCommit, at);
    case 'Refused':
      return BESIDE.includes(effect.type) ? job : refusedEffect(job, effect, outcome.error, at);
  }
}

function refusedEffect(job: Job, effect: Effect, error: Failure, at: Instant): Job {
  const again = effect.type === 'AcceptWork' ? refusedWork(job, effect, error, at) : null;
  return again ?? refused(job, error, at);
}

/** What can't be done ends the job, with the failure that came first; where it was being stopped anyway, that is what it is. */
function refused(job: Job, error: Failure, at: Instant): Job {
  return job.stopRequested ? cancelled(job, at) : failed(job, job.failing ?? error, at);
}
