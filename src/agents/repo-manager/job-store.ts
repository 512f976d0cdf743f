import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { JobId } from '../../shared/domain/ids.ts';
import { isTerminal, Job } from '../../shared/domain/job.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import { type Bucket, type Entry, openBucket } from '../../shared/messaging/bucket.ts';
import { BUCKETS } from '../../shared/messaging/topology.ts';

export interface JobStore {
  load(jobId: JobId): Promise<Entry<Job> | null>;
  /** Compare-and-set against what was loaded (null: there was no record). @returns null when somebody else was first */
  save(job: Job, previous: Entry<Job> | null): Promise<Entry<Job> | null>;
  /** The ids of all jobs that have not been closed; does not grow with history. */
  openJobs(): Promise<JobId[]>;
  /** Makes sure that a job which has not ended is among the open ones: who reopened it may have died, and somebody closed it meanwhile. */
  keepOpen(jobId: JobId): Promise<void>;
  /** The job is over and tidied up; one with an effect pending stays among the open ones, where the sweep finds it. */
  close(jobId: JobId): Promise<void>;
}

const OpenJob = z.strictObject({ v: z.literal(1), id: z.string() });
type OpenJob = z.infer<typeof OpenJob>;

export async function openJobStore(nc: NatsConnection): Promise<JobStore> {
  return createJobStore(await openBucket(nc, BUCKETS.jobs, Job), await openBucket(nc, BUCKETS.open, OpenJob));
}

/** The records of jobs, and the list of those that are open: two buckets that are kept in step by the order of writing alone. */
export function createJobStore(jobs: Bucket<Job>, open: Bucket<OpenJob>): JobStore {
  return {
    load: (jobId) => jobs.get(jobId),
    save: async (job, previous) => {
      // Before the record: a crash in between leaves an id without an open job, never an open job that no sweep finds.
      const opens = previous === null || (isTerminal(previous.value.status) && !isTerminal(job.status));
      if (opens) await open.put(job.id, versioned({ id: job.id }));
      const revision = previous === null ? await jobs.create(job.id, job) : await jobs.update(job.id, job, previous.revision);
      if (opens && previous !== null && revision !== null) await open.put(job.id, versioned({ id: job.id }));
      return revision === null ? null : { key: job.id, value: job, revision };
    },
    openJobs: async () => (await open.all()).map(({ key }) => key),
    keepOpen: async (jobId) => {
      // Though it is there: a removal that was decided upon before, and is still on its way, then finds another revision.
      await open.put(jobId, versioned({ id: jobId }));
    },
    close: async (jobId) => {
      // In this order, and `save` puts the id again behind its record: a retry meanwhile makes the revision stale.
      const entry = await open.get(jobId);
      if (!entry) return;
      const job = await jobs.get(jobId);
      if (!job || hasEnded(job.value)) await open.remove(jobId, entry.revision);
    },
  };
}

function hasEnded({ status, pending }: Job): boolean {
  return isTerminal(status) && pending.length === 0;
}
