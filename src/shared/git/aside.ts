import { lstat, mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { isAlive } from '../process/process-table.ts';
import { removeTree } from './remove.ts';

/**
 * What is made aside to be put in its place as a whole. Its name says which process makes it: of what a crash has left, nobody else would know
 * whether it is still wanted.
 */
const NEW = '.new-';
/** A directory for nothing else, where what gets its place in one of many others is made: there a crash's leftovers are found. */
export const MAKING = '.making';
/** In the folder for temporary files, where others make theirs too. */
export const PUBLIC_PREFIX = 'multi-agent-';

/** Makes a directory for something that is about to get its place in `directory`, named by `prefix`, this process and chance. */
export async function makeAside(directory: string, prefix = NEW): Promise<string> {
  return mkdtemp(path.join(directory, `${prefix}${String(process.pid)}-`));
}

/**
 * Deletes what processes of this user had made aside in `directory` that are gone. Gives the names. What another user made is left alone: to
 * delete in it could be made to delete elsewhere.
 */
export async function sweepAside(directory: string, { prefix = NEW, isGone = hasEnded } = {}): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  const left = names.filter((name) => {
    const pid = name.startsWith(prefix) ? /^(\d+)-.{6}$/s.exec(name.slice(prefix.length))?.[1] : undefined;
    return pid !== undefined && isGone(Number(pid));
  });
  const removed: string[] = [];
  for (const name of left) {
    if (!(await isOurs(path.join(directory, name)))) continue;
    await removeTree(path.join(directory, name));
    removed.push(name);
  }
  return removed;
}

async function isOurs(file: string): Promise<boolean> {
  const stats = await lstat(file).catch(() => undefined);
  return stats !== undefined && stats.uid === process.getuid?.();
}

function hasEnded(pid: number): boolean {
  return !isAlive(pid);
}
