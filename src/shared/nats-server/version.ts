import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The oldest nats-server that everything here was tried on (Debian 12 ships it). */
export const OLDEST_NATS_SERVER = '2.9.10';

const run = promisify(execFile);

/** What `<path> --version` says (`2.9.10`), or undefined when it does not run or is something else. */
export async function versionOfBinary(path: string): Promise<string | undefined> {
  const result = await run(path, ['--version'], { timeout: 10_000 }).catch(() => undefined);
  return result === undefined ? undefined : /nats-server: v(\d+\.\d+\.\d+)/.exec(result.stdout)?.[1];
}

/** Is `version` at least `wanted`? Compares the three numbers and leaves a suffix such as `-RC.1` aside. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(wanted)];
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbersOf(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}
