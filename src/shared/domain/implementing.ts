import { failed } from './ending.ts';
import type { Failure } from './change.ts';
import type { Effect, EffectOutcome } from './effect.ts';
import type { CommitId, Instant } from './ids.ts';
import type { JobInput } from './input.ts';
import type { Job } from './job.ts';
import { sendTask } from './sending.ts';
import { isCurrent, without, withEffects, withoutTask } from './step.ts';

/** The coder's work came in: take its commits before anything else is built on them. */
export function finishImplementation(job: Job, input: Extract<JobInput, { type: 'ImplementationFinished' }>): Job {
  if (!isCurrent(job, input) || job.task?.role !== 'coder') return job;
  return withEffects(
    {
      ...withoutTask(job),
      status: 'IN_PROGRESS',
      phase: 'implementing',
      lastTask: { id: input.taskId, dispatch: input.dispatch, attempt: input.attempt },
      checks: [...input.checks],
      summary: input.summary,
    },
    {
      type: 'AcceptWork',
      taskId: input.taskId,
      dispatch: input.dispatch,
      bundle: input.bundle,
      startCommit: input.startCommit,
      headCommit: input.headCommit,
    },
  );
}

/** What the store says of work that is gone: its time was over, or a killed server had lost it. */
const WORK_LOST = 'bundle_missing';

/** The work can't be taken in. Where it is gone and nobody is to blame, it is done again; what came with a failure ends with that. */
export function refusedWork(job: Job, effect: Extract<Effect, { type: 'AcceptWork' }>, error: Failure, at: Instant): Job | null {
  if (error.code !== WORK_LOST || job.failing || job.stopRequested === true) return null;
  const told = withEffects(job, {
    type: 'PublishEvent',
    event: { type: 'TaskRetried', taskId: effect.taskId, role: 'coder', round: job.round, error },
  });
  return sendTask(told, 'coder', at);
}

/** The commits are in the mirror: show them on the job's branch, before anything else is built on them. */
export function acceptedWork(job: Job, outcome: Extract<EffectOutcome, { type: 'WorkAccepted' }>): Job {
  const { headCommit, commits, filesChanged } = outcome;
  const mergedBase = job.mergeWith;
  const next: Job = {
    ...without(job, 'mergeWith'),
    headCommit,
    commits: [...commits],
    filesChanged: [...filesChanged],
    ...(mergedBase === undefined ? {} : { baseCommit: mergedBase }),
  };
  const proposed = propose(next, headCommit);
  // What came with a failure is kept, but nothing was finished.
  if (job.failing) return proposed;
  return withEffects(proposed, {
    type: 'PublishEvent',
    event: { type: 'ImplementationFinished', round: job.round, headCommit, summary: job.summary ?? '', filesChanged: filesChanged.length },
  });
}

/** Has the job's branch moved to its head. */
export function propose(job: Job, headCommit: CommitId): Job {
  return withEffects(job, { type: 'ProposeChange', headCommit, previousHead: job.changeRequest?.headCommit ?? null });
}

/** The branch shows the work: it is reviewed. Where it came with a failure, that takes effect now: nothing of it can be lost any more. */
export function changeProposed(job: Job, at: Instant): Job {
  return job.failing ? failed(job, job.failing, at) : sendTask(job, 'reviewer', at);
}
