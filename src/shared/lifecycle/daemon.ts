/** Why a daemon stops: a signal of this name, `drain` (wait for its task however long it takes), or a second signal. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'drain' | 'at-once';

/** A running daemon. */
export interface DaemonHandle {
  /**
   * Takes no new work, lets what runs go on for `deadlineMs` (`Infinity` with `drain`, 0 with `at-once`), then hands it back. Called again
   * with less time when a second signal comes; that call shortens the first.
   */
  stop(reason: StopReason, deadlineMs: number): Promise<void>;
  /** Settles when the daemon has ended, whoever ended it; rejects when it broke. */
  readonly closed: Promise<void>;
}

/** The few methods of a pino logger that are used here. */
export interface DaemonLog {
  info(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
  /** Calls back once everything is written. */
  flush?(done: () => void): void;
}

export interface DaemonOptions {
  readonly start: () => Promise<DaemonHandle>;
  readonly log: DaemonLog;
  /** How long the first SIGINT or SIGTERM lets a task go on, in ms. Default 10 000. */
  readonly drainMs?: number;
  /** How long an end at once may take before the process exits all the same, in ms. Default 5 000. */
  readonly graceMs?: number;
  /** Default: `process`. */
  readonly host?: DaemonHost;
}

/** What a daemon needs of its process; tests hand in their own. */
export interface DaemonHost {
  on(event: string, listener: (argument: unknown) => void): unknown;
  send?(message: string): boolean;
  exit(code: number): void;
}

/**
 * The life of every daemon. Starts it and tells its supervisor `ready`. The first SIGINT or SIGTERM drains for `drainMs`, a second one ends
 * at once. SIGUSR2 drains without a limit and then waits for a signal to end: a supervisor would start an exited daemon again, which
 * would take new work. A supervisor that is gone counts as a SIGTERM. Exits 0 after an asked-for stop, 1 when it could not start, broke,
 * or ended unasked.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { log } = options;
  const host = options.host ?? hostOf(process);
  const exit = createExit(host, log);
  host.on('uncaughtException', (error) => {
    exit(1, error, 'uncaught exception');
  });
  host.on('unhandledRejection', (error) => {
    exit(1, error, 'unhandled rejection');
  });
  const stopper = createStopper(options, exit);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const) host.on(signal, () => stopper.signalled(signal));
  host.on('disconnect', () => stopper.signalled('SIGTERM'));
  try {
    const handle = await options.start();
    stopper.started(handle);
    host.send?.('ready');
    await handle.closed;
    await stopper.mayExit();
    exit(stopper.asked() ? 0 : 1, undefined, stopper.asked() ? 'stopped' : 'ended without being asked to');
  } catch (error) {
    exit(1, error, 'the daemon broke');
  }
}

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGUSR2';
type Exit = (code: number, error: unknown, message: string) => void;

/** Exits once; the log is written out first, for at most a second. */
function createExit(host: DaemonHost, log: DaemonLog): Exit {
  let exiting = false;
  return (code, error, message) => {
    if (exiting) return;
    exiting = true;
    const end = (): void => {
      host.exit(code);
    };
    if (code === 0) log.info({}, message);
    else log.fatal(error === undefined ? {} : { err: error }, message);
    setTimeout(end, 1_000).unref();
    if (log.flush === undefined) end();
    else log.flush(end);
  };
}

interface Stopper {
  signalled(signal: Signal): void;
  started(handle: DaemonHandle): void;
  asked(): boolean;
  /** Settles at once, but after a drain without a limit only when a signal to end has come. */
  mayExit(): Promise<void>;
}

function createStopper({ log, drainMs = 10_000, graceMs = 5_000 }: DaemonOptions, exit: Exit): Stopper {
  let handle: DaemonHandle | undefined;
  let wanted: { reason: StopReason; deadlineMs: number } | undefined;
  const apply = (): void => {
    if (wanted === undefined || handle === undefined) return;
    log.info(wanted, 'stopping');
    handle.stop(wanted.reason, wanted.deadlineMs).catch((error: unknown) => {
      exit(1, error, 'could not stop');
    });
    if (wanted.deadlineMs === Infinity) return;
    setTimeout(() => {
      exit(1, undefined, 'did not end in time');
    }, wanted.deadlineMs + graceMs).unref();
  };
  let release: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (release = resolve));
  return {
    asked: () => wanted !== undefined,
    mayExit: () => (wanted?.reason === 'drain' ? ended : Promise.resolve()),
    started: (started) => {
      handle = started;
      apply();
    },
    signalled: (signal) => {
      const next = nextStop(wanted?.reason, signal, drainMs);
      if (next === undefined) return;
      wanted = next;
      if (next.reason !== 'drain') release();
      // Not started yet: there is nothing to drain.
      if (handle === undefined && next.reason === 'at-once') exit(0, undefined, 'stopped before it had started');
      apply();
    },
  };
}

/** SIGUSR2 asks for a drain without a limit; a SIGINT after it puts a limit on that; the next one ends at once. */
function nextStop(
  current: StopReason | undefined,
  signal: Signal,
  drainMs: number,
): { reason: StopReason; deadlineMs: number } | undefined {
  if (signal === 'SIGUSR2') return current === undefined ? { reason: 'drain', deadlineMs: Infinity } : undefined;
  if (current === undefined || current === 'drain') return { reason: signal, deadlineMs: drainMs };
  return current === 'at-once' ? undefined : { reason: 'at-once', deadlineMs: 0 };
}

function hostOf(real: NodeJS.Process): DaemonHost {
  return {
    on: (event, listener) => real.on(event, listener),
    exit: (code) => real.exit(code),
    send: (message) => real.send?.(message) ?? false,
  };
}
