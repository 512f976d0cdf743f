import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { ulid } from 'ulid';
import { isTerminal, Job } from '../../../src/shared/domain/job.ts';
import { UnreachableError } from '../../../src/shared/errors/errors.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { type Bucket, openBucket } from '../../../src/shared/messaging/bucket.ts';
import { type JobReader, openJobReader } from '../../../src/shared/messaging/job-reader.ts';
import { publishUntilAcknowledged } from '../../../src/shared/messaging/publish.ts';
import { submitFeature } from '../../../src/shared/messaging/submit.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import { FORGIVEN } from './forgiven.ts';
import type { PlannedJob } from './plan.ts';
import type { World } from './world.ts';

/** A job that somebody handed in and was told is stored. */
export interface SubmittedJob {
  readonly plan: PlannedJob;
  readonly submittedAt: number;
  /** How often a person had it tried again after it had failed for what was done to the system. */
  retries: number;
  /** The codes of those failures. */
  readonly failures: string[];
  /** The record as it was last seen. */
  record: Job | undefined;
  /** Its revision, and when that was first seen by the monotonic clock. */
  revision: number;
  changedAt: number;
  /** The revision about which somebody last said something. */
  answered: number;
  isOver: boolean;
}

/** People: they hand jobs in, approve, stop, and try again what failed for no fault of its own. */
export interface Customers {
  readonly jobs: readonly SubmittedJob[];
  /** Jobs that are not over. */
  open(): number;
  /** Hands in one more job. */
  submit(plan: PlannedJob): Promise<void>;
  /** Looks at every job that is not over, and does about it what a person would do. */
  look(): Promise<void>;
}

const RETRIES_AT_MOST = 5;

export async function createCustomers(world: World): Promise<Customers> {
  const reader = await openJobReader(world.nc);
  const records = await openBucket(world.nc, BUCKETS.jobs, Job);
  const jobs: SubmittedJob[] = [];
  return {
    jobs,
    open: () => jobs.filter(({ isOver }) => !isOver).length,
    submit: async (plan) => {
      writeFileSync(join(world.folder, 'jobs', plan.id), `${plan.behaviour.name}\n`);
      await Promise.all(Array.from({ length: plan.isSubmittedTwice ? 2 : 1 }, () => handIn(world, reader, plan)));
      const now = performance.now();
      jobs.push({
        plan,
        submittedAt: now,
        retries: 0,
        failures: [],
        record: undefined,
        revision: 0,
        changedAt: now,
        answered: 0,
        isOver: false,
      });
    },
    look: async () => {
      const open = jobs.filter(({ isOver }) => !isOver);
      await Promise.all(open.map((job) => lookAt(world, records, job).catch(() => undefined)));
    },
  };
}

/** As long as nobody says that it is stored, it is handed in again: that must not make two of it. */
async function handIn(world: World, reader: JobReader, { request }: PlannedJob): Promise<void> {
  for (;;) {
    try {
      await submitFeature(world.nc, reader, request);
      return;
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
    }
    await delay(200);
  }
}

async function lookAt(world: World, records: Bucket<Job>, job: SubmittedJob): Promise<void> {
  const entry = await records.get(job.plan.id);
  if (!entry) return;
  if (entry.revision !== job.revision) job.changedAt = performance.now();
  job.record = entry.value;
  job.revision = entry.revision;
  // What was said about this very record is on its way.
  if (job.answered === entry.revision) return;
  const said = answerTo(job, entry.value);
  if (said === undefined) return;
  await tell(world, said, job);
  job.answered = entry.revision;
}

function answerTo(job: SubmittedJob, record: Job): Said | undefined {
  if (isTerminal(record.status)) return record.pending.length === 0 ? afterEnd(job, record) : undefined;
  if (record.status === 'WAITING_APPROVAL' && record.needs?.kind === 'approval' && record.headCommit !== undefined) {
    return { type: 'ApproveJob', headCommit: record.headCommit };
  }
  const { behaviour, stopAfterMs } = job.plan;
  const isStopped = behaviour.person === 'stops' && performance.now() - job.submittedAt > stopAfterMs && record.commands.length === 0;
  return isStopped ? { type: 'StopJob' } : undefined;
}

function afterEnd(job: SubmittedJob, { status, error }: Job): Said | undefined {
  const code = error?.code ?? '';
  const isForgiven = status === 'FAILED' && code !== job.plan.behaviour.code && FORGIVEN.includes(code);
  if (!isForgiven || job.retries >= RETRIES_AT_MOST) {
    job.isOver = true;
    return undefined;
  }
  job.retries += 1;
  job.failures.push(code);
  return { type: 'RetryJob' };
}

type Said = { readonly type: 'StopJob' | 'RetryJob' } | { readonly type: 'ApproveJob'; readonly headCommit: string };

/** Resolves when the command is stored; what becomes of it shows in the record. */
async function tell({ nc }: World, said: Said, { plan }: SubmittedJob): Promise<void> {
  const commandId = ulid();
  const message = versioned({ ...said, jobId: plan.id, commandId, at: Date.now() });
  await publishUntilAcknowledged(jetstream(nc), subjects.input('command', plan.id), message, { messageId: commandId });
}
