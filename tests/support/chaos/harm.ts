import { setTimeout as delay } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { ulid } from 'ulid';
import { messageOf } from '../../../src/shared/errors/errors.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { NETWORK_FAULTS } from './chaos-proxy.ts';
import type { Random } from './random.ts';
import type { World, WorldDaemon } from './world.ts';

/** What was done to the system, and when by the wall clock: the server dates what it stores by the same one. */
export interface HarmDone {
  readonly agentKills: { readonly agentId: string; readonly at: number }[];
  readonly natsKills: { readonly at: number; backAt: number }[];
  readonly poison: { readonly payload: string; readonly subject: string }[];
  pauses: number;
  network: number;
  diskFull: number;
  clockJumps: number;
  /** What the harness itself could not do. */
  readonly troubles: string[];
}

export interface HarmOptions {
  readonly harm: ReadonlySet<HarmName>;
  /** Times between two harms are this many times longer than usual. */
  readonly pace: number;
}

export interface Harming {
  readonly done: HarmDone;
  /** Does no more harm, and mends all that can be mended: nothing is paused, the server is up, the disk has space, the clocks are right. */
  stop(): Promise<void>;
}

/** The ways to do harm; `forge` is done by the daemons themselves. */
export const HARM_NAMES = ['daemon', 'nats', 'network', 'disk', 'clock', 'poison', 'forge'] as const;
export type HarmName = (typeof HARM_NAMES)[number];

/** How often (milliseconds, from and to). */
const EVERY = {
  daemon: [200, 600],
  nats: [3_500, 6_500],
  network: [500, 1_500],
  disk: [20_000, 40_000],
  clock: [1_000, 3_000],
  poison: [2_000, 6_000],
} as const;

/** Harms the world in all these ways at once; each has a chance of its own, so that the same seed does the same again. */
export function startHarming(world: World, random: Random, { harm, pace }: HarmOptions): Harming {
  const done: HarmDone = {
    agentKills: [],
    natsKills: [],
    poison: [],
    pauses: 0,
    network: 0,
    diskFull: 0,
    clockJumps: 0,
    troubles: [],
  };
  const stopping = new AbortController();
  const again = async (name: keyof typeof EVERY, once: (chance: Random) => Promise<void> | void): Promise<void> => {
    if (harm.has(name)) await repeat({ name, pace, random: random.apart(name), signal: stopping.signal, done }, once);
  };
  // One after the other: the server is not started while its disk is full, and not killed while it starts.
  const server = oneAtATime();
  const paused = new Set<WorldDaemon>();
  const resting: Promise<void>[] = [];
  const loops = [
    again('daemon', (chance) => harmDaemon(world, chance, { done, paused, resting })),
    again('nats', (chance) => server(() => killServer(world, chance, done))),
    again('network', (chance) => harmNetwork(world, chance, done)),
    again('clock', (chance) => jump(world, chance, done)),
    again('poison', (chance) => poison(world, chance, done)),
    ...('path' in world.disk ? [again('disk', (chance) => server(() => fillDisk(world, chance, done)))] : []),
  ];
  return {
    done,
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
      for (const daemon of paused) daemon.signal('SIGCONT');
      await Promise.all(resting);
      for (const { id } of world.daemons) world.clocks.set(id, 0);
      await world.nats.restart();
    },
  };
}

interface Repeating {
  readonly name: keyof typeof EVERY;
  readonly pace: number;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly done: HarmDone;
}

async function repeat({ name, pace, random, signal, done }: Repeating, once: (chance: Random) => Promise<void> | void): Promise<void> {
  const [shortest, longest] = EVERY[name];
  while (!signal.aborted) {
    try {
      await delay(random.between(shortest, longest) * pace, undefined, { signal });
      await once(random);
    } catch (error) {
      if (error !== signal.reason && !(error instanceof Error && error.name === 'AbortError'))
        done.troubles.push(`${name}: ${messageOf(error)}`);
    }
  }
}

interface Pausing {
  readonly done: HarmDone;
  readonly paused: Set<WorldDaemon>;
  /** Settles for each pause when it is over. */
  readonly resting: Promise<void>[];
}

/** Killed for good in a moment, or stopped for longer than anybody waits for it, and then let go on where it was. */
function harmDaemon(world: World, chance: Random, { done, paused, resting }: Pausing): void {
  const daemon = chance.pick(world.daemons);
  const isKill = chance.happens(0.5);
  const pauseMs = Math.round(world.options.ackWaitMs * (1.1 + chance.next()));
  if (paused.has(daemon)) return;
  if (isKill) {
    daemon.signal('SIGKILL');
    done.agentKills.push({ agentId: daemon.id, at: Date.now() });
    return;
  }
  daemon.signal('SIGSTOP');
  done.pauses += 1;
  paused.add(daemon);
  resting.push(
    delay(pauseMs).then(() => {
      daemon.signal('SIGCONT');
      paused.delete(daemon);
    }),
  );
}

async function killServer(world: World, chance: Random, done: HarmDone): Promise<void> {
  const awayMs = chance.between(0, 1_000);
  await world.nats.kill9();
  const kill = { at: Date.now(), backAt: 0 };
  await delay(awayMs);
  await world.nats.restart();
  kill.backAt = Date.now();
  done.natsKills.push(kill);
}

function harmNetwork(world: World, chance: Random, done: HarmDone): void {
  const daemon = chance.pick(world.daemons);
  daemon.network.harm(chance.pick(NETWORK_FAULTS), chance.between(200, 3_000));
  done.network += 1;
}

/** The server does not get over a full disk by itself, even when there is space again: it has to be started anew. */
async function fillDisk(world: World, chance: Random, done: HarmDone): Promise<void> {
  if (!('path' in world.disk)) return;
  const fullMs = chance.between(1_000, 3_000);
  await world.disk.fill();
  done.diskFull += 1;
  await delay(fullMs);
  await world.disk.free();
  await world.nats.restart();
}

const HOUR_MS = 3_600_000;

function jump(world: World, chance: Random, done: HarmDone): void {
  const daemon = chance.pick(world.daemons);
  const shiftMs = chance.pick([0, 90_000, -90_000, HOUR_MS, -HOUR_MS, 30 * HOUR_MS]);
  world.clocks.set(daemon.id, shiftMs);
  done.clockJumps += 1;
}

/** Messages that nobody can handle: each has to end among the dead letters, and nowhere else. */
async function poison(world: World, chance: Random, done: HarmDone): Promise<void> {
  const id = `job-${ulid()}`;
  const subject = chance.pick([
    subjects.task('coder', 'normal'),
    subjects.task('reviewer', 'urgent'),
    subjects.input('coder', id),
    subjects.input('command', id),
    subjects.request(id),
  ]);
  const payload = chance.pick([`{"v":1,"poison":"${id}"}`, `not JSON at all ${id}`, `{"v":99,"type":"StopJob","jobId":"${id}"}`]);
  await publishStubbornly(world, subject, payload, id);
  done.poison.push({ payload, subject });
}

async function publishStubbornly(world: World, subject: string, payload: string, messageId: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      await jetstream(world.nc).publish(subject, payload, { msgID: messageId, timeout: 2_000 });
      return;
    } catch {
      await delay(200);
    }
  }
  throw new Error('poison was not taken');
}

function oneAtATime(): (work: () => Promise<void>) => Promise<void> {
  let before: Promise<void> = Promise.resolve();
  return (work) => {
    const mine = before.then(work);
    before = mine.catch(() => undefined);
    return mine;
  };
}
