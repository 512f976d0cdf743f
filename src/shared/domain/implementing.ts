import { addUsage } from './change.ts';
import { failed } from './ending.ts';
import type { EffectOutcome } from './effect.ts';
import type { Instant } from './ids.ts';
import type { JobInput } from './input.ts';
import type { Job } from './job.ts';
import { sendTask } from './sending.ts';
import { isCurrent, without, withEffects } from './step.ts';

/** The coder's work came in: take its commits before anything else is built on them. */
export function finishImplementation(job: Job, input: Extract<JobInput, { type: 'ImplementationFinished' }>): Job {
  if (!isCurrent(job, input) || job.task?.role !== 'coder') return job;
  return withEffects(
    {
      ...without(job, 'task'),
      status: 'IN_PROGRESS',
      phase: 'implementing',
      lastTask: { id: input.taskId, dispatch: input.dispatch, attempt: input.attempt },
      usage: addUsage(job.usage, input.usage),
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

/** The commits are in the mirror: propose them, and have them reviewed; or, where they came with a failure, keep them and end. */
export function acceptedWork(job: Job, outcome: Extract<EffectOutcome, { type: 'WorkAccepted' }>, at: Instant): Job {
  const { headCommit, commits, filesChanged } = outcome;
  const merged = job.mergeWith;
  const next: Job = {
    ...without(job, 'mergeWith'),
    headCommit,
    commits: [...commits],
    filesChanged: [...filesChanged],
    ...(merged === undefined || job.failing ? {} : { baseCommit: merged }),
  };
  const proposed = withEffects(
    next,
    { type: 'ProposeChange', headCommit, previousHead: job.headCommit ?? null },
    {
      type: 'PublishEvent',
      event: {
        type: 'ImplementationFinished',
        round: job.round,
        headCommit,
        summary: job.summary ?? '',
        filesChanged: filesChanged.length,
      },
    },
  );
  return job.failing ? proposed : sendTask({ ...proposed, phase: 'reviewing' }, 'reviewer', at);
}

/** The branch shows the work. Where it came with a failure, that takes effect now: nothing of it can be lost any more. */
export function changeProposed(job: Job, at: Instant): Job {
  return job.failing ? failed(job, job.failing, at) : job;
}
