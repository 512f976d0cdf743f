import { NO_USAGE } from './change.ts';
import type { EffectOutcome } from './effect.ts';
import type { Instant } from './ids.ts';
import type { JobRequest } from './input.ts';
import type { Job } from './job.ts';
import { nextRound } from './sending.ts';
import { withEffects } from './step.ts';

/** Dispatches of one task until the job gives up on it. */
export const DISPATCHES_ALLOWED = 5;

/** Conflict rounds until the job gives up. */
export const CONFLICT_ROUNDS_ALLOWED = 10;

/** The first record of a job. */
export function acceptRequest(request: JobRequest, at: Instant): Job {
  const { workflow } = request;
  const job: Job = {
    v: 1,
    id: request.jobId,
    status: 'PENDING',
    phase: 'queued',
    priority: request.priority,
    repository: request.repository,
    ...(request.branch === undefined ? {} : { requestedBase: request.branch }),
    feature: request.feature,
    workflow,
    ...(request.key === undefined ? {} : { key: request.key }),
    createdAt: request.submittedAt,
    updatedAt: at,
    round: 0,
    conflictRounds: 0,
    roundsAllowed: workflow.maxRounds,
    conflictRoundsAllowed: CONFLICT_ROUNDS_ALLOWED,
    dispatchesAllowed: DISPATCHES_ALLOWED,
    ...(workflow.maxCostUsd === undefined ? {} : { costAllowedUsd: workflow.maxCostUsd }),
    reviews: [],
    commits: [],
    filesChanged: [],
    usage: NO_USAGE,
    commands: [],
    pending: [],
    effectCount: 0,
  };
  return withEffects(job, { type: 'PrepareRepository' });
}

export function repositoryPrepared(job: Job, outcome: Extract<EffectOutcome, { type: 'RepositoryPrepared' }>, at: Instant): Job {
  const { base, baseCommit, headCommit, settings, host } = outcome;
  const prepared: Job = {
    ...job,
    base,
    baseCommit,
    settings,
    ...(headCommit === undefined ? {} : { headCommit }),
    ...(job.repository.kind === 'local' ? { host } : {}),
  };
  const accepted = withEffects(prepared, {
    type: 'PublishEvent',
    event: { type: 'JobAccepted', title: job.feature.title, repository: job.repository.url, base },
  });
  return nextRound(accepted, at);
}
