import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What a network does.
 * - `latency`: everything comes late.
 * - `stall`: nothing comes, and then all of it.
 * - `reset`: the connection breaks at both ends.
 * - `half-open`: the far end is gone and the near end is not told; whatever it sends vanishes.
 */
export const NETWORK_FAULTS = ['latency', 'stall', 'reset', 'half-open'] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

/** Stands between one daemon and NATS. */
export interface ChaosProxy {
  readonly port: number;
  /** Harms the connections there are; `latency` and `stall` last for `ms` and are for new ones, too. */
  harm(fault: NetworkFault, ms: number): void;
  close(): Promise<void>;
}

interface Weather {
  lateMs: number;
  lateUntil: number;
  stalledUntil: number;
}

interface Link {
  reset(): void;
  lose(): void;
}

/** How late a packet is in bad weather: the harm says for how long, this says how much. */
const LATENCY_MS = 150;

export async function startChaosProxy(targetPort: number): Promise<ChaosProxy> {
  const weather: Weather = { lateMs: LATENCY_MS, lateUntil: 0, stalledUntil: 0 };
  const links = new Set<Link>();
  const server = createServer((near) => {
    const link = join(near, connect(targetPort, '127.0.0.1'), weather, () => links.delete(link));
    links.add(link);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    harm: (fault, ms) => {
      if (fault === 'latency') weather.lateUntil = performance.now() + ms;
      else if (fault === 'stall') weather.stalledUntil = performance.now() + ms;
      else for (const link of links) link[fault === 'reset' ? 'reset' : 'lose']();
    },
    close: async () => {
      for (const link of links) link.reset();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Carries bytes both ways until one side ends. */
function join(near: Socket, far: Socket, weather: Weather, onClosed: () => void): Link {
  let isLost = false;
  const end = (): void => {
    near.destroy();
    far.destroy();
    onClosed();
  };
  carry(near, far, weather);
  carry(far, near, weather);
  for (const socket of [near, far]) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
  }
  near.on('close', end);
  far.on('close', () => {
    if (!isLost) end();
  });
  return {
    reset: () => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    },
    lose: () => {
      isLost = true;
      far.resetAndDestroy();
    },
  };
}

function carry(from: Socket, to: Socket, weather: Weather): void {
  let before: Promise<void> = Promise.resolve();
  from.on('data', (bytes: Buffer) => {
    const isFine = weather.stalledUntil === 0 && weather.lateUntil === 0;
    const pass = (): void => {
      if (to.writable) to.write(bytes);
    };
    if (isFine) pass();
    else before = before.then(() => waitFor(weather)).then(pass);
  });
}

async function waitFor(weather: Weather): Promise<void> {
  if (performance.now() < weather.lateUntil) await delay(weather.lateMs);
  // Looked at again: it may stall meanwhile, or be let go early.
  while (performance.now() < weather.stalledUntil) await delay(Math.min(50, weather.stalledUntil - performance.now()));
}
