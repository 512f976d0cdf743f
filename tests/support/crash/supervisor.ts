import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface DaemonSpec {
  /** `coder-1` */
  readonly id: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where it says what went wrong. */
  readonly logFile: string;
}

/** One daemon under a supervisor that starts it again whenever it ends, as PM2 would. */
export interface SupervisedDaemon {
  readonly id: string;
  pid(): number;
  /** How often it was started. */
  starts(): number;
  signal(signal: NodeJS.Signals): void;
  /** From now on it is not started again when it ends. */
  abandon(): void;
  /** Starts it after all, where it was abandoned and has ended. */
  revive(): void;
  /** Ends it for good, paused or not. */
  stop(): Promise<void>;
}

const RESTART_DELAY_MS = 100;

export function supervise(spec: DaemonSpec): SupervisedDaemon {
  const log = openSync(spec.logFile, 'a');
  let starts = 0;
  let wanted = true;
  let child: ChildProcess;
  const launch = (): void => {
    starts += 1;
    child = spawn(process.execPath, [spec.script], { env: { ...spec.env, AGENT_ID: spec.id }, stdio: ['ignore', log, log] });
    child.once('exit', () => {
      if (wanted) void delay(RESTART_DELAY_MS).then(() => wanted && launch());
    });
  };
  launch();
  return {
    id: spec.id,
    pid: () => child.pid ?? 0,
    starts: () => starts,
    signal: (signal) => void child.kill(signal),
    abandon: () => {
      wanted = false;
    },
    revive: () => {
      wanted = true;
      launch();
    },
    stop: async () => {
      wanted = false;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
