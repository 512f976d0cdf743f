import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { z } from 'zod';
import type { JobEvent } from '../../../src/shared/domain/event.ts';
import { Job } from '../../../src/shared/domain/job.ts';
import { pendingJob } from '../../../src/shared/domain/view.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import type { LogEntry } from '../../../src/shared/messages/log-batch.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { publishUntilAcknowledged } from '../../../src/shared/messaging/publish.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';

export function requestOf(changes: Partial<FeatureRequest> = {}): FeatureRequest {
  return versioned({
    type: 'FeatureRequest' as const,
    jobId: `job-${ulid()}`,
    priority: 'normal' as const,
    repository: { kind: 'local' as const, url: '/repositories/app' },
    feature: { title: 'Add --json', description: 'As it says.', requirements: [], acceptanceCriteria: [] },
    workflow: { merge: 'auto' as const, maxRounds: 3, timeoutMs: 3_600_000 },
    submittedAt: Date.now(),
    ...changes,
  });
}

/** Writes what the repo-manager and the agents would. */
export interface Records {
  request(request: FeatureRequest): Promise<void>;
  /** The job's record; `open` says whether it stands in the list of open jobs. */
  job(request: FeatureRequest, changes: Partial<Job>): Promise<Job>;
  open(jobId: string): Promise<void>;
  event(jobId: string, event: JobEvent): Promise<void>;
  log(jobId: string, texts: readonly string[]): Promise<void>;
}

export async function openRecords(nc: NatsConnection): Promise<Records> {
  const jobs = await openBucket(nc, BUCKETS.jobs, Job);
  const open = await openBucket(nc, BUCKETS.open, z.unknown());
  const js = jetstream(nc);
  return {
    request: async (request) => {
      await js.publish(subjects.request(request.jobId), JSON.stringify(request));
    },
    job: async (request, changes) => {
      const job = Job.parse({ ...pendingJob(request), ...changes });
      await jobs.put(job.id, job);
      return job;
    },
    open: async (jobId) => {
      await open.put(jobId, {});
    },
    event: async (jobId, event) => {
      await js.publish(subjects.event(jobId, event.type), JSON.stringify(versioned({ jobId, at: Date.now(), event })));
    },
    log: async (jobId, texts) => {
      const taskId = `${jobId}.implement.1`;
      const entries: LogEntry[] = texts.map((text) => ({ at: Date.now(), type: 'stdout', text }));
      const batch = versioned({ jobId, taskId, attempt: 1, entries });
      // Also over a restart of the server.
      await publishUntilAcknowledged(js, subjects.log(jobId, taskId), batch, { messageId: ulid() });
    },
  };
}

export const HEAD = 'c'.repeat(40);
export const BASE = 'b'.repeat(40);
