import { addUsage, NO_USAGE, type Usage, usageBeyond } from './change.ts';
import type { AttemptRef } from './input.ts';
import type { AttemptUsage, Job } from './job.ts';

/**
 * Counts what an attempt has cost so far towards the job: once, however often it is told and in whichever order, and also where the
 * report says nothing else any more (the attempt was replaced, the job has ended). The money is spent all the same.
 */
export function spend(job: Job, report: AttemptRef & { readonly usage: Usage }): Job {
  const attempts = job.attempts ?? [];
  const known = attempts.find((attempt) => isSame(attempt, report));
  const before = known?.usage ?? NO_USAGE;
  const more = usageBeyond(report.usage, before);
  if (more.inputTokens === 0 && more.outputTokens === 0 && more.costUsd === 0) return job;
  const { taskId, dispatch, attempt } = report;
  const others = attempts.filter((other) => other !== known);
  return {
    ...job,
    usage: addUsage(job.usage, more),
    attempts: [...others, { taskId, dispatch, attempt, usage: addUsage(before, more) }],
  };
}

/** Whether no further task, and no further attempt at one, may begin. */
export function isOverBudget(job: Job): boolean {
  return job.costAllowedUsd !== undefined && job.usage.costUsd >= job.costAllowedUsd;
}

function isSame(known: AttemptUsage, { taskId, dispatch, attempt }: AttemptRef): boolean {
  return known.taskId === taskId && known.dispatch === dispatch && known.attempt === attempt;
}
