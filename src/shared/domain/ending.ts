import type { Failure } from './change.ts';
import type { Effect } from './effect.ts';
import type { Instant } from './ids.ts';
import { type Job, type Needs, type TerminalStatus } from './job.ts';
import { revocationOf, withEffects, without } from './step.ts';

const LEADING_ON: readonly Effect['type'][] = ['PrepareRepository', 'SendTask', 'AcceptWork', 'ProposeChange'];

/** The job ends as FAILED. Its branch and its change request stay as they are, so that it can be retried from there. */
export function failed(job: Job, error: Failure, at: Instant): Job {
  return ended({ ...job, error }, 'FAILED', at);
}

export function cancelled(job: Job, at: Instant): Job {
  return ended(without(job, 'error'), 'CANCELLED', at);
}

export function completed(job: Job, at: Instant): Job {
  return ended(without(job, 'error'), 'COMPLETED', at);
}

/** The job stops until a person, or a sweep that finds the obstacle gone, lets it go on. */
export function waiting(job: Job, needs: Needs, phase: 'approving' | 'merging'): Job {
  const next: Job = { ...job, status: 'WAITING_APPROVAL', phase, needs };
  // A sweep that finds the tree still dirty says nothing new.
  if (job.needs?.kind === needs.kind && job.needs.message === needs.message) return next;
  return withEffects(next, { type: 'PublishEvent', event: { type: 'ApprovalNeeded', ...needs } });
}

function ended(job: Job, status: TerminalStatus, at: Instant): Job {
  const task = job.task;
  // A review that is still in its queue says more than the phase `queued`.
  const stoppedPhase = task?.role === 'reviewer' ? 'reviewing' : job.phase;
  const open = {
    ...without(job, 'task', 'needs', 'delay', 'failing', 'stopRequested'),
    // What would only lead on is dropped: an obstacle to it must not keep the job from ending.
    pending: job.pending.filter(({ effect }) => !LEADING_ON.includes(effect.type)),
  };
  const next: Job = { ...open, status, phase: 'done', finishedAt: at, ...(status === 'COMPLETED' ? {} : { stoppedPhase }) };
  const revoke = task ? [revocationOf(task)] : [];
  return withEffects(
    next,
    ...revoke,
    { type: 'PublishEvent', event: resultOf(next, status) },
    { type: 'CloseJob', merged: status === 'COMPLETED' },
  );
}

function resultOf(job: Job, status: TerminalStatus): Extract<Effect, { type: 'PublishEvent' }>['event'] {
  return {
    type: 'FeatureResult',
    status,
    round: job.round,
    usage: job.usage,
    ...(job.changeRequest ? { changeRequest: job.changeRequest } : {}),
    ...(job.error ? { error: job.error } : {}),
  };
}
