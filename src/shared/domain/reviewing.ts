import type { Failure } from './change.ts';
import { failed, waiting } from './ending.ts';
import type { Instant } from './ids.ts';
import type { JobInput } from './input.ts';
import { type Job, reviewRounds } from './job.ts';
import { nextRound } from './sending.ts';
import { isCurrent, without, withEffects, withoutTask } from './step.ts';

/** A verdict came in. It counts for the head it names, and only while that is the job's head. */
export function finishReview(job: Job, input: Extract<JobInput, { type: 'ReviewFinished' }>): Job {
  if (!isCurrent(job, input) || job.task?.role !== 'reviewer') return job;
  const review = { ...input.review, round: job.round };
  if (review.headCommit !== job.headCommit) return job;
  const judged = withEffects(
    {
      ...withoutTask(job),
      status: 'IN_PROGRESS',
      lastTask: { id: input.taskId, dispatch: input.dispatch, attempt: input.attempt },
      reviews: [...job.reviews, review],
    },
    { type: 'PostReview', review },
    {
      type: 'PublishEvent',
      event: {
        type: 'ReviewFinished',
        round: review.round,
        headCommit: review.headCommit,
        decision: review.decision,
        summary: review.summary,
        comments: review.comments.length,
      },
    },
  );
  switch (review.decision) {
    case 'APPROVE':
      return job.workflow.merge === 'auto'
        ? merging(judged, review.headCommit, input.at)
        : awaitApproval(judged, 'The reviewer approved; the merge is yours to decide.');
    case 'COMMENT':
      return awaitApproval(judged, 'The reviewer commented without a decision; the merge is yours to decide.');
    case 'REQUEST_CHANGES':
      return anotherRound(judged, input.at);
  }
}

/** Approved: what was judged, and nothing else, is to be merged. */
export function merging(job: Job, headCommit: string, at: Instant): Job {
  // However often it is tried: with the same date it is the same commit, and leaves nothing new in the user's repository.
  const mergeAsked = job.mergeAsked?.headCommit === headCommit ? job.mergeAsked : { headCommit, at };
  return withEffects(
    { ...without(job, 'needs'), status: 'IN_PROGRESS', phase: 'merging', mergeAsked },
    { type: 'MergeChange', ...mergeAsked },
  );
}

export function awaitApproval(job: Job, message: string): Job {
  const head = job.headCommit === undefined ? '' : ` --head ${job.headCommit}`;
  return waiting(job, { kind: 'approval', message, command: `multi-agent approve ${job.id}${head}` }, 'approving');
}

function anotherRound(job: Job, at: Instant): Job {
  return reviewRounds(job) >= job.roundsAllowed ? failed(job, roundLimit(job), at) : nextRound(job, at);
}

function roundLimit(job: Job): Failure {
  const last = job.reviews.at(-1);
  return {
    code: 'round_limit',
    message: `The reviewer still asks for changes after ${String(reviewRounds(job))} rounds: ${last?.summary ?? ''}`.trim(),
    retryable: true,
  };
}
