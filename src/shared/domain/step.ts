import type { Effect } from './effect.ts';
import type { AttemptRef } from './input.ts';
import type { Job, Task } from './job.ts';

/** The job with further effects behind those that are pending already. */
export function withEffects(job: Job, ...effects: readonly Effect[]): Job {
  return {
    ...job,
    effectCount: job.effectCount + effects.length,
    pending: [...job.pending, ...effects.map((effect, index) => ({ id: job.effectCount + index + 1, effect }))],
  };
}

/** The job without one of its optional fields, for `exactOptionalPropertyTypes` knows no `undefined`. */
export function without(job: Job, ...keys: readonly OptionalKeys<Job>[]): Job {
  const copy = { ...job };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}

/** The job without the task it waited for: if that is still to be sent, it never will be. */
export function withoutTask(job: Job): Job {
  return { ...without(job, 'task'), pending: job.pending.filter(({ effect }) => effect.type !== 'SendTask') };
}

/** Whether a report is about the task the job waits for, and not about an attempt that a newer one has replaced. */
export function isCurrent(job: Job, report: AttemptRef): boolean {
  const task = job.task;
  return task?.id === report.taskId && task.dispatch === report.dispatch && report.attempt >= task.attempt;
}

export function revocationOf({ id, dispatch, streamSeq }: Task): Effect {
  return { type: 'RevokeTask', taskId: id, dispatch, ...(streamSeq === undefined ? {} : { streamSeq }) };
}

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
