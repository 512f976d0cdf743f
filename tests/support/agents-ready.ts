import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { openBucket } from '../../src/shared/messaging/bucket.ts';
import { BUCKETS } from '../../src/shared/messaging/topology.ts';

const READY_WITHIN_MS = 60_000;

/** Waits until all of them beat: what is measured or harmed afterwards is no start. @throws after `withinMs` (default 60,000) */
export async function agentsReady(
  nc: NatsConnection,
  daemons: readonly { readonly id: string }[],
  withinMs = READY_WITHIN_MS,
): Promise<void> {
  const agents = await openBucket(nc, BUCKETS.agents, z.unknown());
  const giveUpAt = performance.now() + withinMs;
  for (const { id } of daemons) {
    while ((await agents.get(id)) === null) {
      if (performance.now() > giveUpAt) throw new Error(`${id} is not ready`);
      await delay(50);
    }
  }
}
