import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { runDaemon, type DaemonHost, type StopReason } from '../../../../src/shared/lifecycle/daemon.ts';

describe('runDaemon', () => {
  it('says ready once it has started, not before', async () => {
    const life = startDaemon();

    expect(life.sent).toEqual([]);
    life.begin();
    await life.until(() => life.sent.length > 0);

    expect(life.sent).toEqual(['ready']);
  });

  it('drains on the first signal and exits 0 when it has ended', async () => {
    const life = await startedDaemon();

    life.signal('SIGTERM');
    life.end();

    expect(await life.exited).toBe(0);
    expect(life.stops).toEqual([['SIGTERM', 7_000]]);
  });

  it('ends at once on the second signal', async () => {
    const life = await startedDaemon();

    life.signal('SIGINT');
    life.signal('SIGINT');
    life.signal('SIGINT');

    expect(life.stops).toEqual([
      ['SIGINT', 7_000],
      ['at-once', 0],
    ]);
  });

  it('drains without a limit on SIGUSR2, then waits for a signal: exiting would have it started again', async () => {
    const life = await startedDaemon();

    life.signal('SIGUSR2');
    life.end();
    await life.settled();

    expect(life.stops).toEqual([['drain', Infinity]]);
    expect(life.exitCodes).toEqual([]);
    life.signal('SIGINT');
    expect(await life.exited).toBe(0);
  });

  it('takes the loss of its supervisor as a signal to end', async () => {
    const life = await startedDaemon();

    life.signal('disconnect');

    expect(life.stops).toEqual([['SIGTERM', 7_000]]);
  });

  it('stops right after it has started when the signal came earlier', async () => {
    const life = startDaemon();

    life.signal('SIGINT');
    life.begin();
    await life.until(() => life.stops.length > 0);

    expect(life.stops).toEqual([['SIGINT', 7_000]]);
  });

  it('exits 1 when it ends unasked', async () => {
    const life = await startedDaemon();

    life.end();

    expect(await life.exited).toBe(1);
  });

  it('exits 1, with the reason in the log, when it breaks', async () => {
    const life = await startedDaemon();

    life.end(new Error('lost NATS'));

    expect(await life.exited).toBe(1);
    expect(life.fatal).toEqual(['the daemon broke']);
  });

  it.each(['uncaughtException', 'unhandledRejection'])('exits 1 on an %s', async (event) => {
    const life = await startedDaemon();

    life.signal(event, new Error('bug'));

    expect(await life.exited).toBe(1);
    expect(life.fatal).toHaveLength(1);
  });

  it('exits 1 when it does not end in time', async () => {
    const life = await startedDaemon({ drainMs: 1, graceMs: 1 });

    life.signal('SIGINT');

    expect(await life.exited).toBe(1);
  });
});

interface Life {
  readonly sent: string[];
  readonly stops: [StopReason, number][];
  readonly fatal: string[];
  readonly exitCodes: number[];
  readonly exited: Promise<number>;
  begin(): void;
  end(error?: Error): void;
  signal(event: string, argument?: unknown): void;
  until(condition: () => boolean): Promise<void>;
  settled(): Promise<void>;
}

function startDaemon(options: { drainMs?: number; graceMs?: number } = {}): Life {
  const emitter = new EventEmitter();
  const closed = deferred<undefined>();
  const started = deferred<undefined>();
  const exited = deferred<number>();
  const [sent, stops, fatal, exitCodes] = [[] as string[], [] as [StopReason, number][], [] as string[], [] as number[]];
  const host: DaemonHost = {
    on: (event, listener) => emitter.on(event, listener),
    send: (message) => sent.push(message) > 0,
    exit: (code) => {
      exitCodes.push(code);
      exited.resolve(code);
    },
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const handle = { stop: async (reason: StopReason, ms: number) => void stops.push([reason, ms]), closed: closed.promise };
  const log = { info: () => undefined, fatal: (_: object, message: string) => void fatal.push(message) };
  void runDaemon({ start: () => started.promise.then(() => handle), log, host, drainMs: 7_000, ...options });
  return {
    sent,
    stops,
    fatal,
    exitCodes,
    exited: exited.promise,
    settled,
    begin: () => started.resolve(undefined),
    end: (error) => (error === undefined ? closed.resolve(undefined) : closed.reject(error)),
    signal: (event, argument) => emitter.emit(event, argument),
    until: async (condition) => {
      while (!condition()) await settled();
    },
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function deferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}

async function startedDaemon(options: { drainMs?: number; graceMs?: number } = {}): Promise<Life> {
  const life = startDaemon(options);
  life.begin();
  await life.until(() => life.sent.length > 0);
  return life;
}
