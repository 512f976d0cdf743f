import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { createMergeLock, type MergeLock } from '../../../src/agents/repo-manager/merge-lock.ts';
import { Lock } from '../../../src/shared/messages/agent.ts';
import { type Bucket, openBucket } from '../../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { until } from '../../support/until.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let locks: Bucket<Lock>;

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test' });
  await provisionTopology(nc);
  locks = await openBucket(nc, BUCKETS.locks, Lock);
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

const LEASE_MS = 600;

function lockOf(holder: string, incarnation = 'one'): MergeLock {
  return createMergeLock({ locks, holder, incarnation, leaseMs: LEASE_MS, onError: () => undefined });
}

describe('the merge lock', () => {
  it('is not certain any more for one that was paused for longer than its lease, before it is told', async () => {
    const held = await lockOf('repo-manager-1').whileHeld(ulid(), (isHeld) => {
      const before = isHeld();
      // As a stopped process, or a laptop that slept: nothing of this process runs meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.5 * LEASE_MS);
      return Promise.resolve([before, isHeld()]);
    });

    expect(held).toEqual([true, false]);
  });

  it('lets one repo-manager merge into a base at a time, for as long as it takes', async () => {
    const key = ulid();
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const first = lockOf('repo-manager-1').whileHeld(key, async (isHeld) => {
      order.push('first begins');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push(`first ends, held: ${String(isHeld())}`);
    });
    await until('it is held', () => order.length === 1);
    const second = lockOf('repo-manager-2').whileHeld(key, () => Promise.resolve(void order.push('second')));
    const startedAt = performance.now();
    await until('the lease would be over twice', () => performance.now() - startedAt > 2 * LEASE_MS);

    finish();
    await Promise.all([first, second]);

    expect(order).toEqual(['first begins', 'first ends, held: true', 'second']);
    expect(await locks.get(key)).toBeNull();
  });

  it('is removed when its holder has been silent for a whole lease, and nobody wants it', async () => {
    const [dead, alive] = [ulid(), ulid()];
    await locks.create(dead, { v: 1, holder: 'repo-manager-1', incarnation: 'dead', renewal: 3 });
    let finish: () => void = () => undefined;
    const working = lockOf('repo-manager-2').whileHeld(alive, () => new Promise<void>((resolve) => (finish = resolve)));
    await until('it is held', async () => (await locks.get(alive)) !== null);

    const sweeping = lockOf('repo-manager-3');
    await sweeping.removeAbandoned();
    const atFirst = (await locks.get(dead)) !== null;
    await until('it is gone', async () => {
      await sweeping.removeAbandoned();
      return (await locks.get(dead)) === null;
    });
    const startedAt = performance.now();
    await until('the other would be, too', async () => {
      await sweeping.removeAbandoned();
      return performance.now() - startedAt > 2 * LEASE_MS;
    });

    expect([atFirst, (await locks.get(alive)) !== null]).toEqual([true, true]);
    finish();
    await working;
  });

  it('is taken over from one that does not renew it, and that one is told', async () => {
    const key = ulid();
    await locks.create(key, { v: 1, holder: 'repo-manager-9', incarnation: 'dead', renewal: 3 });
    const startedAt = performance.now();

    await lockOf('repo-manager-1').whileHeld(key, () => Promise.resolve());

    expect(performance.now() - startedAt).toBeGreaterThan(LEASE_MS);
  });

  it("is taken at once from one's own earlier incarnation", async () => {
    const key = ulid();
    await locks.create(key, { v: 1, holder: 'repo-manager-1', incarnation: 'dead', renewal: 0 });
    const startedAt = performance.now();

    await lockOf('repo-manager-1', 'two').whileHeld(key, () => Promise.resolve());

    expect(performance.now() - startedAt).toBeLessThan(LEASE_MS);
  });

  it('says so when it was lost', async () => {
    const key = ulid();

    const held = await lockOf('repo-manager-1').whileHeld(key, async (isHeld) => {
      const entry = await locks.get(key);
      await locks.update(key, { v: 1, holder: 'repo-manager-2', incarnation: 'x', renewal: 0 }, entry?.revision ?? 0);
      await until('a renewal has failed', () => !isHeld());
      return isHeld();
    });

    expect(held).toBe(false);
    expect((await locks.get(key))?.value.holder).toBe('repo-manager-2');
  });
});
