import type { JobId } from '../../shared/domain/ids.ts';
import { isTerminal, type Job } from '../../shared/domain/job.ts';
import type { Entry } from '../../shared/messaging/bucket.ts';

/**
 * Jobs as this repo-manager has stored them itself, nothing pending: the next input of one is mostly decided upon without reading it first.
 * Another repo-manager may have gone on with it, which compare-and-set finds out; so what is kept here is enough to decide that
 * something is to be changed, and never that nothing is.
 */
export interface SettledJobs {
  /** Gives the record, once: whoever stores it again puts it back. */
  take(jobId: JobId): Entry<Job> | undefined;
  keep(entry: Entry<Job>): void;
  /** Forgets all: a server that was killed may have lost what it had acknowledged, and gives its revisions to others. */
  forget(): void;
}

/** A record is some kilobytes, one with many comments a hundred. */
const KEPT = 64;

export function createSettledJobs(): SettledJobs {
  const entries = new Map<JobId, Entry<Job>>();
  return {
    take: (jobId) => {
      const entry = entries.get(jobId);
      entries.delete(jobId);
      return entry;
    },
    keep: (entry) => {
      if (entry.value.pending.length > 0 || isTerminal(entry.value.status)) return;
      entries.set(entry.value.id, entry);
      const [oldest] = entries.keys();
      if (entries.size > KEPT && oldest !== undefined) entries.delete(oldest);
    },
    forget: () => {
      entries.clear();
    },
  };
}
