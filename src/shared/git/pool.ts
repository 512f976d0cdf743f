import { mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import path from 'node:path';

/** Idle trees kept for each repository. */
const POOL_SIZE = 2;

/** `<home>/pool/<repoKey>/<n>` */
export function poolPath(home: string, repoKey: string): string {
  return path.join(home, 'pool', repoKey);
}

/**
 * Moves an idle tree and its index into a workspace's directory; gives whether there was one. The rename decides who gets
 * it, and what is taken lies in a directory that has an owner already: a crash leaves nothing that a sweep would not find.
 */
export async function takeFromPool(home: string, repoKey: string, directory: string): Promise<boolean> {
  const pool = poolPath(home, repoKey);
  const taken = path.join(directory, 'taken');
  for (const name of (await readdir(pool).catch(() => [])).sort()) {
    if (!(await renamed(path.join(pool, name), taken))) continue;
    await rename(path.join(taken, 'tree'), path.join(directory, 'tree'));
    await rename(path.join(taken, 'index'), path.join(directory, 'index'));
    await rmdir(taken);
    return true;
  }
  return false;
}

/** Moves a clean tree and its index into the pool, where there is room. */
export async function giveToPool(home: string, repoKey: string, directory: string): Promise<void> {
  const pool = poolPath(home, repoKey);
  const idle = path.join(directory, 'idle');
  await mkdir(pool, { recursive: true, mode: 0o700 });
  await mkdir(idle, { mode: 0o700 });
  await rename(path.join(directory, 'index'), path.join(idle, 'index'));
  await rename(path.join(directory, 'tree'), path.join(idle, 'tree'));
  for (let place = 0; place < POOL_SIZE; place++) {
    // A directory is never renamed onto one that is not empty: a place that is taken says no.
    if (await renamed(idle, path.join(pool, String(place)))) return;
  }
}

async function renamed(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
}
