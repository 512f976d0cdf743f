import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLOCK_VARIABLE } from './shifted-clock.ts';

/** How the wall clocks of daemons are set wrong: by `faketime` where it is installed, else inside of the process. */
export interface Clocks {
  readonly means: 'faketime' | 'in-process';
  /** What a daemon has to be started with. */
  environmentOf(agentId: string): Record<string, string>;
  /** Sets the clock of a daemon wrong by this much, or right with 0. Takes effect within a second, and outlives restarts. */
  set(agentId: string, shiftMs: number): void;
}

export function createClocks(folder: string): Clocks {
  const library = findFaketime();
  const fileOf = (agentId: string): string => join(folder, 'clocks', agentId);
  const write = (agentId: string, shiftMs: number): void => {
    const seconds = Math.round(shiftMs / 1_000);
    writeFileSync(fileOf(agentId), library === undefined ? String(shiftMs) : `${seconds < 0 ? '' : '+'}${seconds}`);
  };
  return {
    means: library === undefined ? 'in-process' : 'faketime',
    environmentOf: (agentId) => {
      write(agentId, 0);
      return library === undefined ? { [CLOCK_VARIABLE]: fileOf(agentId) } : faketimeVariables(library, fileOf(agentId));
    },
    set: write,
  };
}

/** Only the wall clock, and a look at the file every second; what a daemon starts has an environment without these. */
function faketimeVariables(library: string, file: string): Record<string, string> {
  return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** The library that `faketime` puts into what it starts; undefined where there is none. */
function findFaketime(): string | undefined {
  try {
    const library = execFileSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return library || undefined;
  } catch {
    return undefined;
  }
}
