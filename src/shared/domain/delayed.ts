import type { Instant } from './ids.ts';
import type { JobInput } from './input.ts';
import { type Delay, isTerminal, type Job, type Needs } from './job.ts';
import { without } from './step.ts';

/** How long a lock in the user's repository is taken for somebody at work (milliseconds); then a person is asked to look. */
export const LOCK_PATIENCE_MS = 600_000;

/** Said once, however often it is tried: a job that does not move shows why. */
export function effectDelayed(job: Job, { effectId, code, message, at }: Extract<JobInput, { type: 'EffectDelayed' }>): Job {
  if (!job.pending.some(({ id }) => id === effectId)) return job;
  const delay = { code, message, since: job.delay?.code === code ? job.delay.since : at };
  const known = job.delay?.code === code && job.delay.message === message;
  const needs = needOf(job, delay, at);
  if (known && (needs === undefined || job.needs?.message === needs.message)) return job;
  return { ...withoutDelay(job), delay, ...(needs === undefined ? {} : { needs }) };
}

/** The job once nothing holds its effect up any more. */
export function withoutDelay(job: Job): Job {
  return job.needs?.kind === 'repository_locked' ? without(job, 'delay', 'needs') : without(job, 'delay');
}

/** What is a person's to decide anyway stays to be decided, and a job that has ended asks for nothing. */
function needOf(job: Job, { code, message, since }: Delay, at: Instant): Needs | undefined {
  const patient = code !== 'repository_locked' || at - since < LOCK_PATIENCE_MS;
  return patient || job.needs?.kind === 'approval' || isTerminal(job.status) ? undefined : unlock(message);
}

/** A git that was killed leaves its lock behind for ever. It is not ours to judge, least of all to remove. */
function unlock(message: string): Needs {
  const lock = /'(\/[^']+\.lock)'/.exec(message)?.[1];
  return {
    kind: 'repository_locked',
    message: `The repository has been locked for over ${String(LOCK_PATIENCE_MS / 60_000)} minutes (${message}). If no git is at work in it, remove the lock; it is tried again every minute.`,
    command: lock === undefined ? 'find .git -name "*.lock"' : `rm '${lock}'`,
  };
}
