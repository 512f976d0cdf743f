import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a call is cut. `before` and `after` are about the call itself. For an effect of a job: `before` is right after the
 * record that demands it was stored, `done` when it was carried out and not recorded, `recorded` when it was.
 */
export type Moment = 'before' | 'after' | 'done' | 'recorded';

/** What happens to the process at the point: the end of it, or a pause that lasts until somebody sends SIGCONT. */
export type Harm = 'kill' | 'pause';

export interface ArmedPoint {
  readonly call: string;
  readonly at: Moment;
  readonly harm: Harm;
  /** Which of the role's calls of this name since it was armed; default the first. */
  readonly nth?: number;
}

/** Set by the tests for the daemons they start: the folder where points are armed and calls are noted. */
export const FOLDER_VARIABLE = 'CRASH_TEST_FOLDER';

/** Told of every call that a point may be at. */
export interface Hooks {
  hit(at: Moment, call: string): void;
}

/** Has the next such call of the role harm its process. Calls are counted from now on. */
export function armPoint(folder: string, role: string, { call, at, harm, nth = 1 }: ArmedPoint): void {
  rmSync(firedFile(folder, role), { force: true });
  rmSync(callsFile(folder, role), { force: true });
  writeFileSync(armedFile(folder, role), `${JSON.stringify({ call, at, harm, nth })}\n`);
}

/** All the calls of a role since a point was armed for it, as `<moment> <call>`. */
export function readCalls(folder: string, role: string): string[] {
  const file = callsFile(folder, role);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

export function armedFile(folder: string, role: string): string {
  return join(folder, `${role}.armed`);
}

export function firedFile(folder: string, role: string): string {
  return join(folder, `${role}.fired`);
}

export function callsFile(folder: string, role: string): string {
  return join(folder, `${role}.calls`);
}

/**
 * The hooks of a process of this role. Each point goes off once, in one process: who moves the file away. The signal is sent
 * to the process by itself, and nothing more of it runs.
 */
export function createHooks(folder: string, role: string): Hooks {
  return {
    hit: (at, call) => {
      appendFileSync(callsFile(folder, role), `${at} ${call}\n`);
      const armed = readArmed(armedFile(folder, role));
      if (armed?.call !== call || armed.at !== at) return;
      const times = readCalls(folder, role).filter((line) => line === `${at} ${call}`).length;
      if (times !== (armed.nth ?? 1) || !moveAway(folder, role)) return;
      process.kill(process.pid, armed.harm === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    },
  };
}

function readArmed(file: string): ArmedPoint | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ArmedPoint;
  } catch {
    return undefined;
  }
}

function moveAway(folder: string, role: string): boolean {
  try {
    renameSync(armedFile(folder, role), firedFile(folder, role));
    return true;
  } catch {
    return false;
  }
}
