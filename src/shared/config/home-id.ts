import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HomePaths } from './home.ts';
import { onceFile } from './once-file.ts';

/**
 * Names a home for good, made the first time. Not the machine's name: a container has another one each time it is made, while
 * the paths of its jobs mean the same as long as it is the same home.
 */
export async function homeId(paths: Pick<HomePaths, 'run'>): Promise<string> {
  return onceFile(fileOf(paths), () => `home-${randomBytes(6).toString('hex')}`);
}

/** The same, where it was made already. */
export async function knownHomeId(paths: Pick<HomePaths, 'run'>): Promise<string | undefined> {
  return readFile(fileOf(paths), 'utf8').catch(() => undefined);
}

function fileOf({ run }: Pick<HomePaths, 'run'>): string {
  return join(run, 'home.id');
}
