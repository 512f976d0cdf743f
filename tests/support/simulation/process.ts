import { TimeoutError } from '@nats-io/transport-node';
import { RetryableError } from '../../../src/shared/errors/errors.ts';
import type { Clock } from '../../../src/shared/lifecycle/clock.ts';
import type { Luck } from './luck.ts';
import type { Timeline } from './timeline.ts';

/** What kind of thing is asked: it decides how it may fail. */
export type IoKind = 'nats' | 'forge' | 'git';

/** Something that happens in the world just now, whoever is at work. */
export interface Incident {
  readonly name: string;
  happen(): void;
}

/** What processes have in common. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly luck: Luck;
  /** How probable it is that one thing that is asked does not go the ordinary way. */
  readonly misfortune: number;
  readonly incidents: readonly Incident[];
  tell(line: string): void;
}

/** One process of the system, over all its starts. */
export interface Process {
  readonly name: string;
  /** Kill -9. What it has sent is on its way; it is started again a second later. */
  crash(): void;
  /** SIGSTOP, and SIGCONT later. */
  pause(ms: number): void;
  /** Somebody sets the clock of its host. */
  setClock(byMs: number): void;
  /** The one that runs just now. */
  current(): Incarnation | undefined;
}

/** One start of a process: everything it does goes through here, and nothing it hears reaches it after its end. */
export interface Incarnation {
  readonly process: string;
  /** Made anew with each start. */
  readonly id: string;
  readonly clock: Clock;
  /** The moment by its host's clock. */
  now(): number;
  isAlive(): boolean;
  /** Asks the world for something. The answer comes late, or never; it may be an error, though it was done. */
  io<T>(kind: IoKind, what: string, effect: () => T): Promise<T>;
  /** Has it hear of something; a paused one hears of it when it goes on. */
  hear(work: () => void): void;
}

/** When the world begins, by the clocks. */
export const BEGINNING = 1_700_000_000_000;
const ORDINARY_MS = 1;
const ANSWER_WITHIN_MS = 5_000;
const RESTARTED_AFTER_MS = 1_000;
/** The longest that a process is paused (milliseconds). */
export const LONGEST_PAUSE_MS = 45_000;

export function createProcess(around: Surroundings, name: string, main: (self: Incarnation) => void): Process {
  const { timeline } = around;
  const host = { skewMs: 0, pausedUntil: 0 };
  let starts = 0;
  let running: Incarnation | undefined;
  let life = new AbortController();

  const process: Process = {
    name,
    crash: () => {
      if (!running) return;
      around.tell(`${name} dies`);
      life.abort();
      running = undefined;
      host.pausedUntil = 0;
      timeline.after(RESTARTED_AFTER_MS, start);
    },
    pause: (ms) => {
      if (!running) return;
      around.tell(`${name} is paused for ${String(ms)} ms`);
      host.pausedUntil = Math.max(host.pausedUntil, timeline.now() + ms);
    },
    setClock: (byMs) => {
      host.skewMs += byMs;
    },
    current: () => running,
  };
  function start(): void {
    if (running) return;
    life = new AbortController();
    running = incarnationOf(around, process, host, life.signal, `box/${name}/${String((starts += 1))}`);
    main(running);
  }
  start();
  return process;
}

function incarnationOf(
  around: Surroundings,
  process: Process,
  host: { readonly skewMs: number; readonly pausedUntil: number },
  life: AbortSignal,
  id: string,
): Incarnation {
  const { timeline, luck } = around;
  const isAlive = (): boolean => !life.aborted;
  const hear = (work: () => void): void => {
    if (!isAlive()) return;
    const wait = host.pausedUntil - timeline.now();
    if (wait > 0)
      timeline.after(wait, () => {
        hear(work);
      });
    else work();
  };
  const clock: Clock = {
    monotonicMs: () => timeline.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const goOn = (): void => {
          hear(resolve);
        };
        const takeBack = timeline.after(ms, goOn);
        signal?.addEventListener('abort', () => {
          takeBack();
          goOn();
        });
      }),
    every: (everyMs, work) => {
      let stopped = false;
      const next = (): void => {
        timeline.after(everyMs, () => {
          hear(() => {
            if (stopped) return;
            work();
            next();
          });
        });
      };
      next();
      return () => {
        stopped = true;
      };
    },
  };
  return {
    process: process.name,
    id,
    clock,
    now: () => BEGINNING + Math.floor(timeline.now()) + host.skewMs,
    isAlive,
    hear,
    io: (kind, what, effect) =>
      new Promise((resolve, reject) => {
        if (!isAlive()) return;
        const fates = FATES[kind];
        const drawn = luck.draw(`${process.name} ${what}`, around.misfortune, fates.length + around.incidents.length);
        const incident = drawn > fates.length ? around.incidents[drawn - fates.length - 1] : undefined;
        const fate = (incident ? undefined : fates[drawn - 1]) ?? ORDINARY;
        if (drawn > 0) around.tell(`${process.name} ${what}: ${incident?.name ?? fate.name}`);
        incident?.happen();
        fate.before?.(process);
        if (fate.isLost !== true || isAlive()) {
          // What was sent arrives, whatever becomes of the sender.
          timeline.after(fate.arrivesMs ?? ORDINARY_MS, () => {
            let answer: () => void;
            try {
              // A server does what it was sent; what a process does itself ends with it.
              if (kind !== 'nats' && !isAlive()) return;
              if (fate.fails === 'before') throw failureOf(kind, fate);
              const result = effect();
              fate.after?.(process);
              if (fate.fails === 'after') throw failureOf(kind, fate);
              answer = () => {
                resolve(result);
              };
            } catch (error) {
              answer = () => {
                reject(error instanceof Error ? error : new Error(String(error)));
              };
            }
            if (fate.answerMs === undefined) hear(answer);
            else {
              timeline.after(fate.answerMs, () => {
                hear(answer);
              });
            }
          });
        }
      }),
  };
}

/** What may become of one thing that is asked. */
interface Fate {
  readonly name: string;
  /** How long it takes until it is done, and from there to the answer (milliseconds). */
  readonly arrivesMs?: number;
  readonly answerMs?: number;
  readonly fails?: 'before' | 'after';
  readonly how?: 'unexpectedly';
  readonly before?: (process: Process) => void;
  readonly after?: (process: Process) => void;
  /** It is not even sent where the process is gone before it. */
  readonly isLost?: boolean;
}

const ORDINARY: Fate = { name: 'done' };
const crash = (process: Process): void => {
  process.crash();
};
const pause =
  (ms: number) =>
  (process: Process): void => {
    process.pause(ms);
  };

const ANY: readonly Fate[] = [
  { name: 'is slow to be done (5 ms)', arrivesMs: 5 },
  { name: 'is slow to be done (60 ms)', arrivesMs: 60 },
  { name: 'is slow to be done (2 s)', arrivesMs: 2_000 },
  { name: 'is slow to be done (12 s)', arrivesMs: 12_000 },
  { name: 'is answered late (5 ms)', answerMs: 5 },
  { name: 'is answered late (60 ms)', answerMs: 60 },
  { name: 'is answered late (2 s)', answerMs: 2_000 },
  { name: 'is answered late (12 s)', answerMs: 12_000 },
  { name: 'dies before it', before: crash, isLost: true },
  { name: 'dies after it', after: crash },
  { name: 'dies, and what it sent arrives later', arrivesMs: 3_000, before: crash },
  { name: 'is paused after it for 15 s', after: pause(15_000) },
  { name: 'is paused before it for 45 s', before: pause(LONGEST_PAUSE_MS), arrivesMs: LONGEST_PAUSE_MS },
];
const FATES: Readonly<Record<IoKind, readonly Fate[]>> = {
  nats: [
    ...ANY,
    { name: 'is not answered, and was not done', fails: 'before', answerMs: ANSWER_WITHIN_MS },
    { name: 'is not answered, but was done', fails: 'after', answerMs: ANSWER_WITHIN_MS },
  ],
  forge: [
    ...ANY,
    { name: 'fails before it is done', fails: 'before' },
    { name: 'fails after it was done', fails: 'after' },
    { name: 'fails after it was done, unexpectedly', fails: 'after', how: 'unexpectedly' },
  ],
  git: [
    ...ANY,
    { name: 'fails before it is done', fails: 'before' },
    { name: 'fails before it is done, unexpectedly', fails: 'before', how: 'unexpectedly' },
  ],
};

function failureOf(kind: IoKind, { how }: Fate): Error {
  if (how === 'unexpectedly') return new Error('something that nobody thought of');
  return kind === 'nats' ? new TimeoutError() : new RetryableError(`${kind}_down`, 'It does not answer.');
}
