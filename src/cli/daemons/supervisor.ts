import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { NODE_ARGUMENTS, type ProcessSpec } from '../../shared/pm2/app.ts';

/** Keeps one process running, as PM2 would. */
export interface Supervised {
  readonly id: string;
  pid(): number | undefined;
  /** Passes a signal on; the process is not started again if it ends from now on, but after SIGUSR2. */
  signal(signal: NodeJS.Signals): void;
  /** SIGINT (SIGTERM for a binary), after the kill timeout SIGKILL; settles when it is gone. */
  end(): Promise<void>;
}

export interface SuperviseOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly log?: (message: string) => void;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 15_000;
/** A process that ran for this long is healthy: its next restart is quick again. */
const STEADY_MS = 10_000;

/** Starts a process and starts it again whenever it ends, at first after 100 ms, then ever later up to 15 s. */
export function supervise(spec: ProcessSpec, options: SuperviseOptions): Supervised {
  let ending = false;
  let delayMs = FIRST_DELAY_MS;
  let timer: NodeJS.Timeout | undefined;
  let child: ChildProcess | undefined;
  const start = (): void => {
    const startedAt = performance.now();
    child = launch(spec, options.env);
    // `error` comes instead of `exit` when it could not even be started.
    const over = once(child, 'exit').catch((error: unknown) => [String(error)]);
    void over.then(([code]) => {
      child = undefined;
      if (ending) return;
      const waitMs = performance.now() - startedAt > STEADY_MS ? FIRST_DELAY_MS : delayMs;
      delayMs = Math.min(LONGEST_DELAY_MS, waitMs * 1.5);
      options.log?.(`${spec.id} ended (${String(code)}); starting it again in ${String(Math.round(waitMs))} ms`);
      timer = setTimeout(start, waitMs);
    });
  };
  start();
  return {
    id: spec.id,
    pid: () => child?.pid,
    signal: (signal) => {
      ending ||= signal !== 'SIGUSR2';
      child?.kill(signal);
    },
    end: async () => {
      ending = true;
      clearTimeout(timer);
      if (child !== undefined) await endChild(child, spec);
    },
  };
}

function launch(spec: ProcessSpec, env: Readonly<Record<string, string>>): ChildProcess {
  const [command, args] = spec.node ? [process.execPath, [...NODE_ARGUMENTS, spec.script, ...spec.args]] : [spec.script, [...spec.args]];
  return spawn(command, args, {
    env: { ...env, ...spec.env },
    // A group of its own: Ctrl-C at the terminal reaches only us, and each child gets one signal, not two.
    detached: true,
    // Where stdout is our own JSON, a daemon's log belongs on stderr. The channel tells the daemon when we are gone.
    stdio: spec.node ? ['ignore', 2, 2, 'ipc'] : ['ignore', 2, 2],
  });
}

async function endChild(child: ChildProcess, spec: ProcessSpec): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(spec.node ? 'SIGINT' : 'SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), spec.killTimeoutMs);
  await gone;
  clearTimeout(killer);
}
