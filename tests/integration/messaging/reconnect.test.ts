import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';

const HOUR_MS = 3_600_000;
const WITHIN_MS = 10_000;

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a connection to a server that went away and came back', () => {
  it.each([
    ['the clock is right', 0],
    ['the clock was set back', -HOUR_MS],
    ['the clock was set forward', HOUR_MS],
  ])('is there again when %s', async (_, jumpMs) => {
    const nc = await connectNats({ url: nats.url, name: 'test', patience: 'forever' });
    try {
      const now = Date.now.bind(Date);
      jest.spyOn(Date, 'now').mockImplementation(() => now() + jumpMs);
      const back = nextReconnect(nc);
      await nats.restart();

      await expect(Promise.race([back, timeout()])).resolves.toBe('reconnect');
    } finally {
      await nc.close();
    }
  });
});

async function nextReconnect(nc: Awaited<ReturnType<typeof connectNats>>): Promise<string | undefined> {
  for await (const { type } of nc.status()) if (type === 'reconnect') return type;
  return undefined;
}

function timeout(): Promise<string> {
  return new Promise((resolve) => AbortSignal.timeout(WITHIN_MS).addEventListener('abort', () => resolve('timeout')));
}
