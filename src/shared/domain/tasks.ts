import type { Failure } from './change.ts';
import type { Effect } from './effect.ts';
import { failed } from './ending.ts';
import type { Instant } from './ids.ts';
import type { JobInput } from './input.ts';
import { isTerminal, type Job, type Task } from './job.ts';
import { budgetExceeded, sendTask } from './sending.ts';
import { isOverBudget } from './spending.ts';
import { isCurrent, revocationOf, withEffects, withoutTask } from './step.ts';

/** Failures after which the task itself is as good as new: it is sent out again without asking anyone. */
const SENT_AGAIN: readonly string[] = ['abandoned', 'task_lost'];

/** How long a task's message may be gone without a result before the task counts as lost (milliseconds). */
export const MISSING_GRACE_MS = 30_000;

export function startTask(job: Job, input: Extract<JobInput, { type: 'TaskStarted' }>): Job {
  const task = job.task;
  // Somebody works on what nobody waits for: a task that ended, or one that has been sent out anew.
  if (task?.id !== input.taskId || task.dispatch !== input.dispatch) return revokeStray(job, input);
  if (input.attempt <= task.attempt) return job;
  const started: Task = { ...task, attempt: input.attempt, agentId: input.agentId, startedAt: input.at };
  const next: Job = {
    ...job,
    status: 'IN_PROGRESS',
    phase: task.role === 'coder' ? 'implementing' : 'reviewing',
    task: withoutMissing(started),
    lastTask: { id: task.id, dispatch: task.dispatch, attempt: input.attempt },
  };
  // Earlier attempts at this very dispatch cost something, too, and agents take it up again without asking.
  return isOverBudget(next) ? failed(next, budgetExceeded(next), input.at) : next;
}

export function taskSent(job: Job, effect: Effect, streamSeq: number): Job {
  const task = job.task;
  const same = effect.type === 'SendTask' && task?.id === effect.taskId && task.dispatch === effect.dispatch;
  return same ? { ...job, task: { ...task, streamSeq } } : job;
}

/** The task ended without a result: send it out again where that may help, else end the job with its work kept. */
export function failTask(job: Job, input: Extract<JobInput, { type: 'TaskFailed' }>): Job {
  if (!isCurrent(job, input)) return job;
  const told = { ...job, ...(input.checks ? { checks: [...input.checks] } : {}) };
  if (SENT_AGAIN.includes(input.error.code)) return sendAgain(told, input.attempt, input.error, input.at);
  if (!input.work || job.task?.role !== 'coder') return failed(withAttempt(told, input.attempt), input.error, input.at);

  const { bundle, startCommit, headCommit } = input.work;
  return withEffects(
    { ...withoutTask(withAttempt(told, input.attempt)), failing: input.error },
    { type: 'AcceptWork', taskId: input.taskId, dispatch: input.dispatch, bundle, startCommit, headCommit },
  );
}

/** A task whose message is gone twice, well apart, with no result on its way, is lost: it is sent out again. */
export function sweepTask(job: Job, input: Extract<JobInput, { type: 'Swept' }>): Job {
  const task = job.task;
  if (!task || job.pending.length > 0 || input.taskMessage === 'unknown') return job;
  if (input.taskMessage === 'present') return task.missingSince === undefined ? job : { ...job, task: withoutMissing(task) };
  if (task.missingSince === undefined) return { ...job, task: { ...task, missingSince: input.at } };
  if (input.at - task.missingSince < MISSING_GRACE_MS) return job;
  return sendAgain(job, task.attempt, lost(task), input.at);
}

function sendAgain(job: Job, attempt: number, error: Failure, at: Instant): Job {
  const task = job.task;
  if (!task) return job;
  const revoked = withEffects(withoutTask(withAttempt(job, attempt)), revocationOf(task), {
    type: 'PublishEvent',
    event: { type: 'TaskRetried', taskId: task.id, role: task.role, round: task.round, error },
  });
  return sendTask(revoked, task.role, at);
}

function revokeStray(job: Job, input: Extract<JobInput, { type: 'TaskStarted' }>): Job {
  const finished = job.lastTask?.id === input.taskId && job.lastTask.dispatch === input.dispatch && job.lastTask.attempt >= input.attempt;
  // The report of an attempt whose result is known already: nobody works on it any more.
  if (finished && !isTerminal(job.status)) return job;
  return isTerminal(job.status) ? job : withEffects(job, { type: 'RevokeTask', taskId: input.taskId, dispatch: input.dispatch });
}

function withAttempt(job: Job, attempt: number): Job {
  return job.lastTask ? { ...job, lastTask: { ...job.lastTask, attempt: Math.max(job.lastTask.attempt, attempt) } } : job;
}

function withoutMissing(task: Task): Task {
  const { missingSince: _, ...rest } = task;
  return rest;
}

function lost(task: Task): Failure {
  return { code: 'task_lost', message: `The message of ${task.id} is gone and no result came.`, retryable: true };
}
