import { hostname } from 'node:os';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { AgentId } from '../../shared/domain/ids.ts';
import { Claim, type Heartbeat } from '../../shared/messages/agent.ts';
import { openBucket } from '../../shared/messaging/bucket.ts';
import { startHeartbeat } from '../../shared/messaging/heartbeat.ts';
import type { Outcome } from '../../shared/messaging/outcome.ts';
import { requireTopology, type TopologySettings } from '../../shared/messaging/provision.ts';
import { createTaskPuller } from '../../shared/messaging/pull.ts';
import { BUCKETS } from '../../shared/messaging/topology.ts';
import { reportAbandoned } from './abandoned.ts';
import type { AttemptContext } from './task-attempt.ts';
import type { TaskWorker } from './task-worker.ts';
import { workLoop } from './work-loop.ts';

export interface AgentOptions {
  readonly nc: NatsConnection;
  readonly agentId: AgentId;
  /** Made anew with each start. */
  readonly incarnation: string;
  readonly worker: TaskWorker;
  readonly version: string;
  readonly now: () => number;
  readonly log: AgentLog;
  /** Shows that it is there, but takes no task: for an agent that has no runner. Default false. */
  readonly takesNoTasks?: boolean;
  /** Failed deliveries of one message until it is given up. Default 5. */
  readonly maxDeliveries?: number;
  /** What the queues have to be like for it to start. Default: whatever they are. */
  readonly topology?: TopologySettings;
  /** How often a task in hand renews its lease (milliseconds). Default 3,000: well within the ack wait of 10 s. */
  readonly workingEveryMs?: number;
}

/** The part of a logger that an agent needs; messages are constant, what varies is in the fields. */
export interface AgentLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RunningAgent {
  /**
   * Takes no more tasks and waits for the one in hand; when `deadline` aborts first, that one is ended, what there is of
   * its work is bundled for the next attempt, and it is handed back.
   */
  stop(deadline: AbortSignal): Promise<void>;
  /** Settles when the agent has ended, whyever. */
  readonly closed: Promise<void>;
}

const MAX_DELIVERIES = 5;
const WORKING_EVERY_MS = 3_000;

/** Starts an agent that takes tasks: ready when this resolves. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { nc, agentId, incarnation, worker, now, log } = options;
  await requireTopology(nc, options.topology, agentId);
  const draining = new AbortController();
  const stopping = new AbortController();
  const onError = (error: unknown): void => {
    log.error({ err: error }, 'something beside a task went wrong');
  };
  const context: AttemptContext = {
    nc,
    js: jetstream(nc),
    claims: await openBucket(nc, BUCKETS.claims, Claim),
    open: await openBucket(nc, BUCKETS.open, z.unknown()),
    holder: { agentId, incarnation },
    worker,
    workingEveryMs: options.workingEveryMs ?? WORKING_EVERY_MS,
    now,
    onError,
    stopping: stopping.signal,
  };

  const abandoned = await reportAbandoned(context);
  if (abandoned > 0) log.warn({ abandoned }, 'reported the tasks of an earlier incarnation');
  const vitals = createVitals(options, draining.signal);
  const heartbeat = await startHeartbeat(nc, vitals.beat, onError);
  const puller = createTaskPuller(nc, worker.role, onError);
  const loop =
    options.takesNoTasks === true
      ? until(draining.signal)
      : workLoop(
          {
            ...context,
            puller,
            maxDeliveries: options.maxDeliveries ?? MAX_DELIVERIES,
            onTask: (taskId) => {
              vitals.task(taskId);
              heartbeat.beatSoon();
            },
            onCounted: vitals.count,
            onOutcome: (delivery, outcome) => {
              logOutcome(log, delivery.streamSeq, delivery.deliveries, outcome);
            },
          },
          draining.signal,
        );
  const closed = loop.finally(async () => {
    await heartbeat.stop();
  });

  return {
    closed,
    stop: async (deadline) => {
      draining.abort();
      heartbeat.beatSoon();
      if (deadline.aborted) stopping.abort();
      deadline.addEventListener('abort', () => {
        stopping.abort();
      });
      await closed;
    },
  };
}

/** Resolves when the signal aborts. */
function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

function createVitals(options: AgentOptions, draining: AbortSignal) {
  const counters = { tasksProcessed: 0, tasksFailed: 0 };
  const startedAt = options.now();
  let task: string | undefined;
  return {
    task: (taskId: string | undefined): void => {
      task = taskId;
    },
    count: (end: 'processed' | 'failed'): void => {
      counters.tasksProcessed += 1;
      if (end === 'failed') counters.tasksFailed += 1;
    },
    beat: (): Omit<Heartbeat, 'beat' | 'v'> => ({
      agentId: options.agentId,
      role: options.worker.role,
      incarnation: options.incarnation,
      pid: process.pid,
      host: hostname(),
      state: draining.aborted ? 'draining' : task === undefined ? 'idle' : 'busy',
      ...(task === undefined ? {} : { task }),
      counters: { ...counters },
      rssBytes: process.memoryUsage.rss(),
      version: options.version,
      runner: options.worker.runner,
      startedAt,
    }),
  };
}

function logOutcome(log: AgentLog, streamSeq: number, deliveries: number, outcome: Outcome): void {
  const fields = { streamSeq, deliveries, outcome: outcome.type };
  if (outcome.type === 'done') log.info(fields, 'task settled');
  else log.warn({ ...fields, ...('error' in outcome ? { err: outcome.error } : {}) }, 'task not settled');
}
