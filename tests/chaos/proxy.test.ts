import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChaosProxy, startChaosProxy } from '../support/chaos/chaos-proxy.ts';
import { until } from '../support/until.ts';

describe('the chaos proxy', () => {
  let far: Server;
  let farSockets: Socket[];
  let proxy: ChaosProxy;
  let near: Socket;
  let heard: string;

  beforeEach(async () => {
    farSockets = [];
    far = createServer((socket) => {
      farSockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => socket.write(bytes));
    }).listen(0, '127.0.0.1');
    await once(far, 'listening');
    proxy = await startChaosProxy((far.address() as AddressInfo).port);
    near = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
    heard = '';
    near.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    await say('hello ');
    await until('an echo', () => heard === 'hello ');
  });
  afterEach(async () => {
    near.destroy();
    await proxy.close();
    far.close();
  });

  it('holds everything back while it stalls, and loses none of it', async () => {
    proxy.harm('stall', 300);
    const from = performance.now();
    await say('again');
    await until('the echo', () => heard === 'hello again');

    expect(performance.now() - from).toBeGreaterThanOrEqual(290);
  });

  it('is late both ways with latency', async () => {
    proxy.harm('latency', 2_000);
    const from = performance.now();
    await say('again');
    await until('the echo', () => heard === 'hello again');

    expect(performance.now() - from).toBeGreaterThanOrEqual(290);
  });

  it('breaks the connection at both ends with a reset', async () => {
    proxy.harm('reset', 0);

    await until('both ends are closed', () => near.destroyed && farSockets.every(({ destroyed }) => destroyed));
  });

  it('leaves the near end in the dark when half open: what it says vanishes', async () => {
    proxy.harm('half-open', 0);
    await until('the far end is gone', () => farSockets.every(({ destroyed }) => destroyed));
    await say('is anybody there?');

    expect(near.destroyed).toBe(false);
    expect(heard).toBe('hello ');
  });

  it('takes new connections after it broke the old ones', async () => {
    proxy.harm('reset', 0);
    await until('the old one is closed', () => near.destroyed);
    near = connect(proxy.port, '127.0.0.1').on('data', (bytes: Buffer) => (heard += bytes.toString()));
    await say('anew');

    await until('an echo', () => heard.endsWith('anew'));
  });

  async function say(text: string): Promise<void> {
    await new Promise((resolve) => near.write(text, resolve));
  }
});
