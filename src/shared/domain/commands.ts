import { cancelled } from './ending.ts';
import type { Instant } from './ids.ts';
import { propose } from './implementing.ts';
import type { JobCommand } from './input.ts';
import { type CommandOutcome, isTerminal, type Job, reviewRounds } from './job.ts';
import { awaitApproval, merging } from './reviewing.ts';
import { nextRound, sendTask } from './sending.ts';
import { CONFLICT_ROUNDS_ALLOWED, DISPATCHES_ALLOWED } from './starting.ts';
import { without, withEffects } from './step.ts';

const COMMANDS_REMEMBERED = 8;

/** A person's command. One that is known already, or comes too late for a job that has ended, changes nothing. */
export function command(job: Job, input: JobCommand): Job {
  if (job.commands.some((known) => known.id === input.commandId)) return job;
  // A terminal record is not rewritten but by a retry: who asks sees its status.
  if (isTerminal(job.status) && (input.type !== 'RetryRequested' || job.status === 'COMPLETED' || isOutdated(job, input))) return job;
  if (isOutdated(job, input)) return answered(job, input, false, 'It was given before the job was retried.');
  switch (input.type) {
    case 'StopRequested':
      return stop(answered(job, input, true), input.at);
    case 'ApproveRequested':
      return approve(job, input);
    case 'RejectRequested':
      return reject(job, input);
    case 'RetryRequested':
      return isTerminal(job.status)
        ? retry({ ...answered(job, input, true), ...(input.seq === undefined ? {} : { retrySeq: input.seq }) }, input.at)
        : answered(job, input, false, `The job is ${job.status}; only one that FAILED or was CANCELLED can be retried.`);
  }
}

/** A command may be delivered long after it was given, even after the job has ended and was retried. */
function isOutdated(job: Job, { seq }: JobCommand): boolean {
  return seq !== undefined && job.retrySeq !== undefined && seq < job.retrySeq;
}

/** While a merge is under way its outcome decides: merged is COMPLETED, and says so. */
function stop(job: Job, at: Instant): Job {
  return mergeUnderWay(job) ? { ...job, stopRequested: true } : cancelled(job, at);
}

/** Whether a merge is pending: its outcome decides about the job, whatever is asked for meanwhile. */
export function mergeUnderWay(job: Job): boolean {
  return job.pending.some(({ effect }) => effect.type === 'MergeChange');
}

function approve(job: Job, input: Extract<JobCommand, { type: 'ApproveRequested' }>): Job {
  if (job.status !== 'WAITING_APPROVAL' || job.headCommit === undefined || mergeUnderWay(job)) {
    return answered(job, input, false, `The job waits for no approval: it is ${job.status}, ${job.phase}.`);
  }
  if (input.headCommit !== undefined && input.headCommit !== job.headCommit) return headMoved(job, input, 'approve');
  return merging(answered(job, input, true), job.headCommit, input.at);
}

/** A person's REQUEST_CHANGES: another round on the same branch, allowed whatever the limit was. */
function reject(job: Job, input: Extract<JobCommand, { type: 'RejectRequested' }>): Job {
  if (job.status !== 'WAITING_APPROVAL' || job.headCommit === undefined || mergeUnderWay(job)) {
    return answered(job, input, false, `The job waits for no approval: it is ${job.status}, ${job.phase}.`);
  }
  if (input.headCommit !== undefined && input.headCommit !== job.headCommit) return headMoved(job, input, 'reject');
  const review = {
    round: job.round,
    decision: 'REQUEST_CHANGES',
    headCommit: job.headCommit,
    summary: input.comment,
    comments: [],
  } as const;
  const rejected = withEffects(
    {
      ...without(answered(job, input, true), 'needs'),
      status: 'IN_PROGRESS',
      reviews: [...job.reviews, { ...review, comments: [] }],
      roundsAllowed: Math.max(job.roundsAllowed, reviewRounds(job) + 1),
    },
    { type: 'PostReview', review: { ...review, comments: [] } },
  );
  return nextRound(rejected, input.at);
}

function headMoved(job: Job, input: Extract<JobCommand, { headCommit?: unknown }>, verb: 'approve' | 'reject'): Job {
  const heads = `you ${verb} ${String(input.headCommit)}, the job's head is ${String(job.headCommit)}`;
  return answered(job, input, false, `The head moved: ${heads}. Look at it again with "show".`);
}

/** Same id, same branch: the job goes on in the phase it ended in, with its limits granted once more. */
function retry(job: Job, at: Instant): Job {
  const phase = job.stoppedPhase ?? 'queued';
  const { maxRounds, maxCostUsd } = job.workflow;
  const reopened = withEffects(
    {
      ...without(job, 'error', 'finishedAt', 'stoppedPhase', 'needs'),
      // The job is open again: what was still to be tidied up is in use.
      pending: job.pending.filter(({ effect }) => effect.type !== 'CloseJob'),
      status: 'PENDING',
      phase: 'queued',
      roundsAllowed: reviewRounds(job) + maxRounds,
      conflictRoundsAllowed: job.conflictRounds + CONFLICT_ROUNDS_ALLOWED,
      dispatchesAllowed: (job.lastTask?.dispatch ?? 0) + DISPATCHES_ALLOWED,
      ...(maxCostUsd === undefined ? {} : { costAllowedUsd: job.usage.costUsd + maxCostUsd }),
    },
    { type: 'PublishEvent', event: { type: 'JobRetried', round: Math.max(1, job.round) } },
  );
  if (job.baseCommit === undefined) return withEffects(reopened, { type: 'PrepareRepository' });
  return resume(reopened, phase, at);
}

function resume(job: Job, phase: Job['phase'], at: Instant): Job {
  if (job.headCommit !== undefined && job.changeRequest?.headCommit !== job.headCommit) return propose(job, job.headCommit);
  const verdict = job.reviews.at(-1);
  const judged = verdict !== undefined && verdict.headCommit === job.headCommit && verdict.round === job.round;
  if (phase === 'merging' && job.headCommit !== undefined) return merging(job, job.headCommit, at);
  if (phase === 'approving') return awaitApproval(job, 'The job was stopped while it waited for your approval.');
  if (phase === 'reviewing' && !judged && job.headCommit !== undefined) return sendTask(job, 'reviewer', at);
  // A round that was judged, or was implemented, is over: work goes on in the next one.
  return judged || job.round === 0 ? nextRound(job, at) : sendTask(job, 'coder', at);
}

function answered(job: Job, input: JobCommand, accepted: boolean, message?: string): Job {
  const outcome: CommandOutcome = { id: input.commandId, accepted, ...(message === undefined ? {} : { message }) };
  return { ...job, commands: [...job.commands, outcome].slice(-COMMANDS_REMEMBERED) };
}
