import type { NatsConnection } from '@nats-io/transport-node';
import { Heartbeat } from '../messages/agent.ts';
import { type Bucket, type Entry, openBucket } from './bucket.ts';
import { leaveNode } from './leave-node.ts';
import { BUCKETS } from './topology.ts';

export const BEAT_EVERY_MS = 1_000;
/** Tasks may be shorter than this: what changes meanwhile is told once. */
const TOLD_AFTER_MS = 100;
/** An agent is healthy while its newest beat is younger than this, by the observer's own clock. */
export const HEALTHY_WITHIN_MS = 3_500;
/**
 * A node of a cluster that is cut off from the others greets and answers pings, but stores nothing: an agent whose beats were not
 * stored for this long goes to another node. Longer than most elections take, and harmless where it comes too soon.
 */
const LEAVE_AFTER_MS = 5_000;

/**
 * Rewrites an agent's heartbeat every second until stopped; its own bucket entry expires 15 s after the last one. `beatSoon` has it told
 * within a tenth of a second what has changed.
 */
export async function startHeartbeat(
  nc: NatsConnection,
  current: () => Omit<Heartbeat, 'beat' | 'v'>,
  onError: (error: unknown) => void,
): Promise<{ beatSoon(): void; stop(): Promise<void> }> {
  const agents = await openBucket(nc, BUCKETS.agents, Heartbeat);
  let beat = 0;
  let storedAt = performance.now();
  let beating: Promise<void> = Promise.resolve();
  const beatOnce = async (): Promise<void> => {
    const value: Heartbeat = { v: 1, ...current(), beat: beat++ };
    await agents.put(value.agentId, value);
    storedAt = performance.now();
  };
  const onFailure = (error: unknown): void => {
    onError(error);
    if (nc.info?.cluster === undefined || performance.now() - storedAt < LEAVE_AFTER_MS) return;
    storedAt = performance.now();
    leaveNode(nc).catch(onError);
  };
  let telling: NodeJS.Timeout | undefined;
  const next = (): void => {
    clearTimeout(telling);
    telling = undefined;
    // One after the other: an older beat must not overwrite a newer one.
    beating = beating.then(beatOnce).catch(onFailure);
  };
  next();
  const timer = setInterval(next, BEAT_EVERY_MS);
  return {
    beatSoon: () => {
      telling ??= setTimeout(next, TOLD_AFTER_MS);
    },
    stop: async () => {
      clearInterval(timer);
      clearTimeout(telling);
      await beating;
      await forget(agents, current().agentId, current().incarnation).catch(onError);
    },
  };
}

/** A stopped agent does not linger as a silent one. Only our own incarnation's entry goes. */
async function forget(agents: Bucket<Heartbeat>, agentId: string, incarnation: string): Promise<void> {
  const last: Entry<Heartbeat> | null = await agents.get(agentId);
  if (last?.value.incarnation === incarnation) await agents.retire(agentId, last.revision);
}
