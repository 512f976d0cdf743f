import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { JobId } from '../domain/ids.ts';
import { isTerminal, Job, type JobStatus } from '../domain/job.ts';
import { pendingJob } from '../domain/view.ts';
import { TerminalError } from '../errors/errors.ts';
import { FeatureRequest } from '../messages/feature-request.ts';
import { subjects } from '../messages/subjects.ts';
import { type Bucket, openBucket, UNREADABLE_RECORD } from './bucket.ts';
import { BUCKETS, REPO_MANAGER_CONSUMER, STREAMS } from './topology.ts';

export interface StoredJob {
  readonly job: Job;
  /** The record's revision; 0 while there is only the request. */
  readonly revision: number;
}

export interface StoredRequest {
  readonly request: FeatureRequest;
  /** Its sequence in REQUESTS: a higher one was submitted later. */
  readonly seq: number;
}

export interface JobQuery {
  /** Only jobs of these. Default: any. */
  readonly statuses?: readonly JobStatus[];
  /** Only jobs that wait for a person. */
  readonly needsMe?: boolean;
  readonly limit: number;
  /** Only jobs submitted before the one of this sequence: the `next` of an earlier page. */
  readonly before?: number;
}

export interface JobPage {
  /** Newest first. */
  readonly jobs: readonly Job[];
  /** Where the next page begins; absent when this was the last. */
  readonly next?: number;
  /** Jobs on the way to this page whose records can't be read; they are passed over, whatever was asked for. */
  readonly unreadable: readonly JobId[];
}

/** Reads jobs: from the `jobs` bucket, and from REQUESTS what no repo-manager has looked at yet. */
export interface JobReader {
  /** @returns null when there is no such job */
  get(jobId: JobId): Promise<StoredJob | null>;
  request(jobId: JobId): Promise<StoredRequest | null>;
  /** Its cost grows with the page, and with what a filter skips; never with all there is, for jobs that have not ended. */
  list(query: JobQuery): Promise<JobPage>;
}

/** How many messages are asked for at once. */
const CHUNK = 64;

export async function openJobReader(nc: NatsConnection): Promise<JobReader> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const jobs = await openBucket(nc, BUCKETS.jobs, Job);
  const request = async (jobId: JobId): Promise<StoredRequest | null> =>
    storedRequest(await jsm.streams.getMessage(STREAMS.requests, { last_by_subj: subjects.request(jobId) }));
  return {
    request,
    get: async (jobId) => {
      const entry = await jobs.get(jobId);
      if (entry) return { job: entry.value, revision: entry.revision };
      const stored = await request(jobId);
      return stored ? { job: pendingJob(stored.request), revision: 0 } : null;
    },
    list: async (query) => {
      const all = isOnlyOpen(query) ? openRequests(nc, jsm, request) : requestsBackwards(jsm, query.before);
      return pageOf(all, query, jobs);
    },
  };
}

function isOnlyOpen({ statuses, needsMe }: JobQuery): boolean {
  return needsMe === true || (statuses !== undefined && !statuses.some(isTerminal));
}

async function pageOf(requests: AsyncIterable<readonly StoredRequest[]>, query: JobQuery, jobs: Bucket<Job>): Promise<JobPage> {
  const found: { job: Job; seq: number }[] = [];
  const unreadable: JobId[] = [];
  for await (const chunk of requests) {
    const wanted = chunk.filter(({ seq }) => query.before === undefined || seq < query.before);
    const read = await Promise.all(wanted.map(async (stored) => ({ stored, job: await jobOf(stored, jobs) })));
    for (const { stored, job } of read) {
      if (job === null) unreadable.push(stored.request.jobId);
      else if (matches(job, query)) found.push({ job, seq: stored.seq });
    }
    // One more than asked for tells whether there is a next page.
    if (found.length > query.limit) break;
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return { jobs: page.map(({ job }) => job), unreadable, ...(found.length > query.limit && last ? { next: last.seq } : {}) };
}

/** Null where the record can't be read: one job must not hide all the others. */
async function jobOf({ request }: StoredRequest, jobs: Bucket<Job>): Promise<Job | null> {
  try {
    return (await jobs.get(request.jobId))?.value ?? pendingJob(request);
  } catch (error) {
    if (error instanceof TerminalError && error.code === UNREADABLE_RECORD) return null;
    throw error;
  }
}

function matches(job: Job, { statuses, needsMe }: JobQuery): boolean {
  return (needsMe !== true || job.needs !== undefined) && (statuses === undefined || statuses.includes(job.status));
}

/** Chunks of REQUESTS, newest first, by sequence: no list of all keys, no consumer. */
async function* requestsBackwards(jsm: JetStreamManager, before: number | undefined, downTo = 0): AsyncGenerator<readonly StoredRequest[]> {
  const { state } = await jsm.streams.info(STREAMS.requests);
  const lowest = Math.max(state.first_seq, downTo);
  let highest = Math.min(state.last_seq, before === undefined ? Infinity : before - 1);
  while (highest >= lowest && state.messages > 0) {
    const size = Math.min(CHUNK, highest - lowest + 1);
    const top = highest;
    const messages = await Promise.all(Array.from({ length: size }, (_, i) => jsm.direct.getMessage(STREAMS.requests, { seq: top - i })));
    yield messages.map(storedRequest).filter((stored) => stored !== null);
    highest -= size;
  }
}

/** The jobs that have not ended: those the repo-manager keeps a list of, and the requests it has not come to yet. */
async function* openRequests(
  nc: NatsConnection,
  jsm: JetStreamManager,
  request: JobReader['request'],
): AsyncGenerator<readonly StoredRequest[]> {
  const open = await openBucket(nc, BUCKETS.open, z.unknown());
  const listed = (await Promise.all((await open.all()).map(({ key }) => request(key)))).filter((stored) => stored !== null);
  const { ack_floor: handled } = await jsm.consumers.info(STREAMS.requests, REPO_MANAGER_CONSUMER);
  const bySeq = new Map(listed.map((stored) => [stored.seq, stored]));
  for await (const chunk of requestsBackwards(jsm, undefined, handled.stream_seq + 1))
    for (const stored of chunk) bySeq.set(stored.seq, stored);
  yield [...bySeq.values()].sort((a, b) => b.seq - a.seq);
}

/** Anyone may write to REQUESTS: what is no request is passed over here, the repo-manager deals with it. */
function storedRequest(message: StoredMsg | null): StoredRequest | null {
  if (!message) return null;
  try {
    const parsed = FeatureRequest.safeParse(message.json());
    return parsed.success && message.subject === subjects.request(parsed.data.jobId) ? { request: parsed.data, seq: message.seq } : null;
  } catch {
    return null;
  }
}
