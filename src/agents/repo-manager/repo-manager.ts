import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { consume, handleDelivery } from '../../shared/messaging/consume.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import { createFailureCount } from '../../shared/messaging/failure-count.ts';
import { startHeartbeat } from '../../shared/messaging/heartbeat.ts';
import type { Outcome } from '../../shared/messaging/outcome.ts';
import { requireTopology, type TopologySettings } from '../../shared/messaging/provision.ts';
import { onStatus } from '../../shared/messaging/stream-tail.ts';
import { REPO_MANAGER_CONSUMER, STREAMS } from '../../shared/messaging/topology.ts';
import type { Heartbeat } from '../../shared/messages/agent.ts';
import { serveBundles } from './bundle-service.ts';
import type { RepoManagerContext } from './context.ts';
import { createInbox, INBOX_RULES } from './inbox.ts';
import { createJobHandler } from './job-handler.ts';
import { createRequestWatch } from './request-watch.ts';
import type { Strandings } from './stranded.ts';
import { sweep, sweepAtStart } from './sweep.ts';

export interface RepoManagerOptions {
  readonly nc: NatsConnection;
  readonly context: RepoManagerContext;
  readonly version: string;
  /** How often open jobs are looked at (milliseconds). Default 60,000. */
  readonly sweepEveryMs?: number;
  /** How old an input or a task of an ended job is (milliseconds) when a sweep takes it for one that nobody is given any more. Default 120,000. */
  readonly strandedAfterMs?: number;
  /** What the queues have to be like for it to start. Default: whatever they are. */
  readonly topology?: TopologySettings;
  /** How often an input in hand renews its lease (milliseconds). Default 3,000: well within the ack wait of 10 s. */
  readonly workingEveryMs?: number;
}

export interface RunningRepoManager {
  /** Takes no more inputs and waits for those in hand; when `deadline` (default: none) aborts, what they run is ended, and they come again. */
  stop(deadline?: AbortSignal): Promise<void>;
  /** Settles when it has ended, whyever. */
  readonly closed: Promise<void>;
}

const SWEEP_EVERY_MS = 60_000;
const STRANDED_AFTER_MS = 120_000;
const REQUESTS_PREFETCH = 16;
const INPUTS_PREFETCH = 64;
/** An input may wait for the checks of a merge: requests do not wait for that. */
const BACKLOG_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 20;

/** Starts a repo-manager: ready when this resolves. */
export async function startRepoManager(options: RepoManagerOptions): Promise<RunningRepoManager> {
  const { nc, workingEveryMs } = options;
  const stopping = new AbortController();
  const context: RepoManagerContext = { ...options.context, stopping: stopping.signal };
  await requireTopology(nc, options.topology);
  const handler = createJobHandler(context);
  const inbox = createInbox(context, handler);
  const unwatch = onStatus(nc, (type) => {
    if (type === 'disconnect' || type === 'reconnect') handler.forgetRecords();
  });
  const heartbeat = await startHeartbeat(nc, vitalsOf(options), (error) => {
    context.log.error({ err: error }, 'no heartbeat');
  });
  const service = serveBundles(nc, context);
  const common = {
    consumer: REPO_MANAGER_CONSUMER,
    rules: INBOX_RULES,
    ...(workingEveryMs === undefined ? {} : { workingEveryMs }),
    bury: inbox.bury,
    onOutcome: (delivery: Delivery, outcome: Outcome) => {
      logOutcome(context, delivery, outcome);
    },
    onError: (error: unknown) => {
      context.log.error({ err: error }, 'consuming went wrong');
    },
  };
  const requests = { ...common, stream: STREAMS.requests, handle: inbox.takeRequest };
  const inputs = { ...common, stream: STREAMS.inputs, handle: inbox.takeInput };
  const inputsLoop = await consume(nc, { ...inputs, prefetch: INPUTS_PREFETCH });
  // Somebody may have stopped a job before anybody was there to begin it.
  await untilSettled(nc, STREAMS.inputs, BACKLOG_WITHIN_MS);
  const loops = [inputsLoop, await consume(nc, { ...requests, prefetch: REQUESTS_PREFETCH })];
  const failures = createFailureCount();
  const strandings: Strandings = {
    afterMs: options.strandedAfterMs ?? STRANDED_AFTER_MS,
    takeUp: (delivery) => handleDelivery(delivery, inputs, failures).catch(common.onError),
    takeUpRequest: (delivery) => handleDelivery(delivery, requests, failures).catch(common.onError),
    requests: createRequestWatch(context, (jobId) => handler.isBusy(jobId)),
  };
  const sweeping = startSweeping(() => sweep(context, handler, strandings), context, options.sweepEveryMs ?? SWEEP_EVERY_MS);
  const leaving = new AbortController();
  const startSwept = sweepAtStart(context, leaving.signal);
  // With one of the two gone it is no repo-manager any more: the supervisor starts a new one.
  const closed = Promise.race(loops.map((loop) => loop.closed));
  return {
    closed,
    stop: async (deadline) => {
      if (deadline?.aborted === true) stopping.abort();
      deadline?.addEventListener('abort', () => {
        stopping.abort();
      });
      service.unsubscribe();
      unwatch();
      leaving.abort();
      await Promise.all([...loops.map((loop) => loop.stop()), sweeping.stop(), startSwept]);
      await heartbeat.stop();
    },
  };
}

/** Waits until nothing is left of what a stream holds for the repo-managers, or for a while. */
async function untilSettled(nc: NatsConnection, stream: string, withinMs: number): Promise<void> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const giveUpAt = performance.now() + withinMs;
  while (performance.now() < giveUpAt) {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, REPO_MANAGER_CONSUMER);
    if (num_pending + num_ack_pending === 0) return;
    await delay(LOOK_EVERY_MS);
  }
}

function startSweeping(sweepOnce: () => ReturnType<typeof sweep>, { log }: RepoManagerContext, everyMs: number): { stop(): Promise<void> } {
  let sweeping: Promise<void> | undefined;
  const left = new Set<Promise<void>>();
  const once = (): void => {
    // One that takes longer than the interval is not joined by another.
    sweeping ??= sweepOnce()
      .then((working) => {
        for (const work of working) {
          left.add(work);
          void work.then(() => left.delete(work));
        }
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'the sweep went wrong');
      })
      .finally(() => {
        sweeping = undefined;
      });
  };
  once();
  const timer = setInterval(once, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await sweeping;
      await Promise.all(left);
    },
  };
}

function vitalsOf({ context, version }: RepoManagerOptions): () => Omit<Heartbeat, 'beat' | 'v'> {
  const startedAt = context.now();
  return () => ({
    agentId: context.agentId,
    role: 'repo-manager',
    incarnation: context.incarnation,
    pid: process.pid,
    host: context.host,
    state: 'idle',
    counters: { tasksProcessed: 0, tasksFailed: 0 },
    rssBytes: process.memoryUsage.rss(),
    version,
    startedAt,
  });
}

function logOutcome(context: RepoManagerContext, delivery: Delivery, outcome: Outcome): void {
  if (outcome.type === 'done') return;
  const error = 'error' in outcome ? outcome.error : undefined;
  context.log.warn(
    { subject: delivery.subject, deliveries: delivery.deliveries, outcome: outcome.type, err: error },
    'an input was not settled',
  );
}
