import { setTimeout as delay } from 'node:timers/promises';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { UnreachableError } from '../../shared/errors/errors.ts';
import { isAlive } from '../../shared/lifecycle/process-state.ts';
import { Heartbeat } from '../../shared/messages/agent.ts';
import { openBucket, type Bucket } from '../../shared/messaging/bucket.ts';
import { HEALTHY_WITHIN_MS } from '../../shared/messaging/heartbeat.ts';
import { BUCKETS } from '../../shared/messaging/topology.ts';

/** What an observer saw of an agent. */
export interface Observation {
  readonly agentId: string;
  /** Did its heartbeat change while we looked? */
  readonly alive: boolean;
  /** Its last heartbeat; undefined when there is none. */
  readonly heartbeat: Heartbeat | undefined;
}

export interface ObserveOptions {
  /** Agents that should be there: waited for, and reported even when they say nothing. */
  readonly expected?: readonly string[];
  /** How long to look at most, in ms. Default 3 500: an agent silent for that long is not healthy. */
  readonly patienceMs?: number;
  /** Ends the look early once it is content. Default: every agent expected or seen is alive. */
  readonly until?: (observations: readonly Observation[]) => boolean;
  readonly signal?: AbortSignal;
}

const LOOK_EVERY_MS = 150;

/**
 * Watches the heartbeats with this process's own clock: an agent is alive when its beat changes while we look, whatever the time stamps say.
 * With all alive it takes about a second.
 *
 * @throws UnreachableError `not_provisioned` when the server has no such bucket.
 */
export async function observeAgents(nc: NatsConnection, options: ObserveOptions = {}): Promise<Observation[]> {
  const bucket = await openAgents(nc);
  const content = options.until ?? ((seen) => seen.length > 0 && seen.every(({ alive }) => alive));
  const deadline = performance.now() + (options.patienceMs ?? HEALTHY_WITHIN_MS);
  const first = new Map<string, string>();
  for (;;) {
    const observations = observe(await readBeats(bucket), first, options.expected ?? []);
    if (content(observations) || performance.now() > deadline || options.signal?.aborted === true) return observations;
    await delay(LOOK_EVERY_MS);
  }
}

/** The last beat of each agent, alive or not. @throws UnreachableError `not_provisioned` when the server has no such bucket. */
export async function lastHeartbeats(nc: NatsConnection): Promise<Heartbeat[]> {
  return readBeats(await openAgents(nc));
}

/**
 * Which of these processes still have work, or have not yet said that they drain. An agent counts as drained only once it says so: its
 * last beat may be older than the task it took a moment ago.
 */
export async function busyAgents(nc: NatsConnection, pids: readonly number[]): Promise<Heartbeat[]> {
  const beats = await lastHeartbeats(nc);
  const waiting = beats.filter(({ pid, task, state }) => pids.includes(pid) && (task !== undefined || state !== 'draining'));
  const alive = await Promise.all(waiting.map(({ pid }) => isAlive(pid)));
  return waiting.filter((_, index) => alive[index]);
}

function observe(beats: readonly Heartbeat[], first: Map<string, string>, expected: readonly string[]): Observation[] {
  const byId = new Map(beats.map((beat) => [beat.agentId, beat]));
  const ids = [...new Set([...expected, ...first.keys(), ...byId.keys()])];
  return ids.sort(byNumber).map((agentId) => {
    const heartbeat = byId.get(agentId);
    const mark = heartbeat === undefined ? '' : `${heartbeat.incarnation} ${String(heartbeat.beat)}`;
    if (!first.has(agentId)) first.set(agentId, mark);
    return { agentId, heartbeat, alive: heartbeat !== undefined && first.get(agentId) !== mark };
  });
}

/** coder-2 before coder-10. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

async function openAgents(nc: NatsConnection): Promise<Bucket<Heartbeat>> {
  try {
    const bucket = await openBucket(nc, BUCKETS.agents, Heartbeat);
    await bucket.all();
    return bucket;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UnreachableError(
      'not_provisioned',
      'this NATS server was never set up for multi-agent; start the system with "multi-agent up"',
      { cause: error },
    );
  }
}

async function readBeats(bucket: Bucket<Heartbeat>): Promise<Heartbeat[]> {
  // A key that is rewritten while the keys are listed can be listed twice.
  return [...new Map((await bucket.all()).map(({ key, value }) => [key, value])).values()];
}

const STREAM_NOT_FOUND = 10059;

function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}
