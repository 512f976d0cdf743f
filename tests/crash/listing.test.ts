import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { openBucket } from '../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../src/shared/messaging/provision.ts';
import { BUCKETS } from '../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';

jest.setTimeout(900_000);

const LOOKS = 300;
/** Far longer than a look takes. */
const HUNG_AFTER_MS = 3_000;

/** The sweep and every start of an agent read a whole bucket while other daemons put keys there and take them away. */
describe('all entries of a bucket whose keys come and go', () => {
  let nats: TestNatsServer;
  let connections: readonly [NatsConnection, NatsConnection];

  beforeAll(async () => {
    nats = await startNatsServer();
    connections = [await connectNats({ url: nats.url, name: 'reads' }), await connectNats({ url: nats.url, name: 'writes' })];
    await provisionTopology(connections[0], { ackWaitMs: 2_000 });
  });
  afterAll(async () => {
    await Promise.all(connections.map((nc) => nc.close()));
    await nats.stop();
  });

  it('are read without a hang', async () => {
    const [reads, writes] = await Promise.all(connections.map((nc) => openBucket(nc, BUCKETS.open, z.number())));
    let isOver = false;
    const comeAndGo = async (): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        const revision = await writes?.create(`key-${n}`, n);
        if (revision) await writes?.remove(`key-${n}`, revision);
      }
    };
    const coming = comeAndGo();

    let longestMs = 0;
    for (let look = 0; look < LOOKS && longestMs < HUNG_AFTER_MS; look++) {
      const startedAt = performance.now();
      const reading = reads?.all();
      const outcome = await Promise.race([reading?.then(() => 'read'), delay(HUNG_AFTER_MS, 'hung', { ref: false })]);
      if (outcome === 'hung') {
        // With nothing more coming, as on a quiet system.
        isOver = true;
        await coming;
        await Promise.race([reading, delay(45_000, undefined, { ref: false })]);
      }
      longestMs = Math.max(longestMs, Math.round(performance.now() - startedAt));
    }
    isOver = true;
    await coming;

    expect(longestMs).toBeLessThan(HUNG_AFTER_MS);
  });
});
