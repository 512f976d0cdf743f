import type { Failure } from './change.ts';
import type { Effect } from './effect.ts';
import { type Instant, taskIdOf, type TaskRole } from './ids.ts';
import type { Job } from './job.ts';
import { raised } from './priority.ts';
import { failed } from './ending.ts';
import { isOverBudget } from './spending.ts';
import { withEffects, without } from './step.ts';

/**
 * Sends out the task of the current round, or ends the job where another dispatch or its cost is over the limit.
 *
 * The dispatch count of a task never starts again, nor do its attempts: they are fencing tokens.
 */
export function sendTask(before: Job, role: TaskRole, at: Instant): Job {
  // Before the limits are looked at: a retry goes on with what would have been sent.
  const job: Job =
    before.status === 'PENDING' ? before : { ...before, status: 'IN_PROGRESS', phase: role === 'coder' ? 'implementing' : 'reviewing' };
  if (isOverBudget(job)) return failed(job, budgetExceeded(job), at);
  const id = taskIdOf(job.id, role, job.round);
  const last = job.lastTask?.id === id ? job.lastTask : undefined;
  const dispatch = (last?.dispatch ?? 0) + 1;
  if (dispatch > job.dispatchesAllowed) return failed(job, tooManyDispatches(id, job.dispatchesAllowed), at);

  const attemptsBefore = last?.attempt ?? 0;
  const conflict = job.mergeWith !== undefined && role === 'coder';
  const effect: Effect = {
    type: 'SendTask',
    taskId: id,
    role,
    round: job.round,
    dispatch,
    attemptsBefore,
    priority: conflict ? raised(job.priority) : job.priority,
  };
  return withEffects(
    {
      ...without(job, 'needs', 'error', 'failing'),
      task: { id, role, round: job.round, dispatch, attempt: attemptsBefore, sentAt: at },
      lastTask: { id, dispatch, attempt: attemptsBefore },
    },
    effect,
    { type: 'PublishEvent', event: { type: 'TaskSent', taskId: id, role, round: job.round, dispatch } },
  );
}

/** Begins the next round on the job's branch. */
export function nextRound(job: Job, at: Instant): Job {
  return sendTask({ ...job, round: job.round + 1 }, 'coder', at);
}

export function budgetExceeded(job: Job): Failure {
  return {
    code: 'budget_exceeded',
    message: `The job has cost $${job.usage.costUsd.toFixed(2)} and may cost $${String(job.costAllowedUsd)}; its work so far is kept on its branch. A retry allows the same sum again.`,
    retryable: true,
  };
}

function tooManyDispatches(taskId: string, allowed: number) {
  return {
    code: 'dispatch_limit',
    message: `The task ${taskId} was sent out ${String(allowed)} times and no agent brought it to an end.`,
    retryable: true,
  };
}
