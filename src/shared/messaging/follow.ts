import { setTimeout as delay } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { JobId } from '../domain/ids.ts';
import { isTerminal, type Job } from '../domain/job.ts';
import { UnreachableError } from '../errors/errors.ts';
import { JobEventMessage } from '../messages/job-event.ts';
import { LogBatch } from '../messages/log-batch.ts';
import { subjects } from '../messages/subjects.ts';
import type { JobReader } from './job-reader.ts';
import { onStatus, readStream, type Tail, type TailOptions, tailStream } from './stream-tail.ts';
import { STREAMS } from './topology.ts';

/** What a follower sees. `seq` is the sequence in EVENTS or LOGS; each comes once, in order. */
export type FollowItem =
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'event'; readonly seq: number; readonly message: JobEventMessage }
  | { readonly type: 'log'; readonly seq: number; readonly batch: LogBatch }
  | { readonly type: 'connection'; readonly connected: boolean };

export interface FollowOptions {
  /** When to end; asked with every new state of the job, from the first on. */
  readonly until: (job: Job) => boolean;
  /** The first sequence of EVENTS wanted; `false`: no events. Default 1. */
  readonly events?: number | false;
  /** The first sequence of LOGS wanted; `false`: no logs. Default `false`. */
  readonly logs?: number | false;
  readonly signal: AbortSignal;
}

/** How often the job is read when nothing tells of a change. */
const READ_EVERY_MS = 2_000;
/** How long the last event may be behind the job's last record. */
const LAST_EVENT_WITHIN_MS = 2_000;
const LAST_EVENT_AGAIN_MS = 50;

/**
 * Follows a job: its states as they change, its events and what its runners say, until `until` says so. Survives a restart of NATS, when
 * the connection does. Before it ends it hands over what is left of events and logs, and the job as it is then.
 *
 * @throws the signal's reason when that aborts first
 */
export async function* followJob(nc: NatsConnection, jobs: JobReader, jobId: JobId, options: FollowOptions): AsyncGenerator<FollowItem> {
  const queue = createQueue(options.signal);
  const sources = sourcesOf(jobId, options);
  const states = readStates(jobs, jobId, queue);
  const tails = sources.map(({ tail, item }) =>
    tailStream(nc, tail, (message) => {
      const next = item(message);
      if (next) queue.push(next);
      if (next?.type === 'event') states.readSoon();
    }),
  );
  const unwatch = onStatus(nc, (type) => {
    if (type !== 'disconnect' && type !== 'reconnect') return;
    queue.push({ type: 'connection', connected: type === 'reconnect' });
    if (type === 'reconnect') states.readSoon();
  });
  void nc.closed().then((error) => queue.fail(connectionLost(error)));
  try {
    const { job, resultSeen } = yield* untilDone(queue, options.until);
    for (const tail of tails) tail.stop();
    const missingResult = isTerminal(job.status) && !resultSeen && options.events !== false;
    yield* remaining(nc, sources, tails, missingResult ? job : undefined);
    yield { type: 'job', job: (await jobs.get(jobId))?.job ?? job };
  } finally {
    unwatch();
    states.stop();
    for (const tail of tails) tail.stop();
  }
}

function connectionLost(cause: unknown): UnreachableError {
  return new UnreachableError('nats_unreachable', 'The connection to NATS is gone for good.', { cause });
}

interface Source {
  readonly tail: TailOptions;
  readonly item: (message: JsMsg) => FollowItem | undefined;
}

function sourcesOf(jobId: JobId, { events = 1, logs = false }: FollowOptions): Source[] {
  return [
    ...(events === false ? [] : [{ tail: { stream: STREAMS.events, filter: subjects.eventsOf(jobId), from: events }, item: eventItem }]),
    ...(logs === false ? [] : [{ tail: { stream: STREAMS.logs, filter: subjects.logsOf(jobId), from: logs }, item: logItem }]),
  ];
}

/** One that is newer than we are, or none of ours, is passed over: a follower is no judge of it. */
function eventItem(message: JsMsg): FollowItem | undefined {
  const parsed = JobEventMessage.safeParse(parseJson(message));
  return parsed.success ? { type: 'event', seq: message.seq, message: parsed.data } : undefined;
}

function logItem(message: JsMsg): FollowItem | undefined {
  const batch = logBatchOf(message);
  return batch && { type: 'log', seq: message.seq, batch };
}

/** @returns undefined for what is no batch of ours */
export function logBatchOf(message: JsMsg): LogBatch | undefined {
  return LogBatch.safeParse(parseJson(message)).data;
}

function parseJson(message: JsMsg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

async function* untilDone(queue: Queue, until: FollowOptions['until']): AsyncGenerator<FollowItem, { job: Job; resultSeen: boolean }> {
  const results: JobEventMessage[] = [];
  for (;;) {
    const item = await queue.take();
    yield item;
    if (item.type === 'event' && item.message.event.type === 'FeatureResult') results.push(item.message);
    if (item.type !== 'job' || !until(item.job)) continue;
    // What the tails have handed over already comes before the end.
    for (const rest of queue.rest()) {
      yield rest;
      if (rest.type === 'event') results.push(rest.message);
    }
    return { job: item.job, resultSeen: results.some((message) => isResultOf(message, item.job)) };
  }
}

/** A job that was retried has the results of its earlier ends, too. */
function isResultOf({ event, at }: JobEventMessage, job: Job): boolean {
  return event.type === 'FeatureResult' && at >= (job.finishedAt ?? 0);
}

/** What the streams have that the tails did not come to: where `ended` is given, up to the event that tells of that job's end. */
async function* remaining(
  nc: NatsConnection,
  sources: readonly Source[],
  tails: readonly Tail[],
  ended: Job | undefined,
): AsyncGenerator<FollowItem> {
  for (const [i, { tail, item }] of sources.entries()) {
    let from = tails[i]?.next() ?? 1;
    let wanted = tail.stream === STREAMS.events ? ended : undefined;
    const deadline = performance.now() + LAST_EVENT_WITHIN_MS;
    for (;;) {
      for await (const message of readStream(nc, { ...tail, from })) {
        from = message.seq + 1;
        const next = item(message);
        if (next) yield next;
        if (wanted && next?.type === 'event' && isResultOf(next.message, wanted)) wanted = undefined;
      }
      if (!wanted || performance.now() > deadline) break;
      await delay(LAST_EVENT_AGAIN_MS);
    }
  }
}

interface Queue {
  push(item: FollowItem): void;
  /** Whoever takes gets the error, once what came before is taken. */
  fail(error: Error): void;
  take(): Promise<FollowItem>;
  /** All that is there, taken. */
  rest(): FollowItem[];
}

function createQueue(signal: AbortSignal): Queue {
  const items: FollowItem[] = [];
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  signal.addEventListener('abort', () => wake(), { once: true });
  return {
    push: (item) => {
      items.push(item);
      wake();
    },
    fail: (error) => {
      failure = error;
      wake();
    },
    take: async () => {
      for (;;) {
        signal.throwIfAborted();
        const item = items.shift();
        if (item) return item;
        if (failure) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    rest: () => items.splice(0),
  };
}

/** Reads the job now, every so often, and when told to; a state that was read before is not handed over again. */
function readStates(jobs: JobReader, jobId: JobId, queue: Queue): { readSoon(): void; stop(): void } {
  let seen = -1;
  let reading = false;
  let again = false;
  let stopped = false;
  // Set by another call while this one waits.
  const isAgain = (): boolean => again;
  const read = async (): Promise<void> => {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    do {
      again = false;
      // A server that is away for a moment is no news about the job.
      const stored = await jobs.get(jobId).catch(() => null);
      if (stored && stored.revision > seen && !stopped) {
        seen = stored.revision;
        queue.push({ type: 'job', job: stored.job });
      }
    } while (isAgain() && !stopped);
    reading = false;
  };
  const timer = setInterval(() => void read(), READ_EVERY_MS);
  void read();
  return {
    readSoon: () => void read(),
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}
