import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UnreachableError } from '../errors/errors.ts';
import { isAlive } from './process-state.ts';

export interface FileLockOptions {
  /** How long to wait for another holder, in ms. Default 120 000. */
  readonly timeoutMs?: number;
}

/**
 * Runs `work` while holding the lock file at `path`; one process at a time on this host. A lock whose holder is gone is taken over.
 *
 * @throws UnreachableError `locked` when a living holder keeps it longer than `timeoutMs`.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, options: FileLockOptions = {}): Promise<T> {
  await acquire(path, options.timeoutMs ?? 120_000);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, timeoutMs: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = performance.now() + timeoutMs;
  while (!(await tryCreate(path))) {
    const holder = await holderOf(path);
    if (holder !== undefined && !(await isAlive(holder))) await discard(path, holder);
    else if (performance.now() > deadline) {
      throw new UnreachableError(
        'locked',
        `${path} is held by process ${String(holder ?? 'unknown')}; wait for it to end, or remove the file`,
      );
    } else await delay(100);
  }
}

async function tryCreate(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined while its maker has not written its id yet, or when it has just been given back. */
async function holderOf(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text === '' ? undefined : Number(text);
}

/** Moved away first, so that of two that found the same dead holder only one removes it, and neither a fresh lock. */
async function discard(path: string, holder: number): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  if (
    !(await rename(path, aside).then(
      () => true,
      () => false,
    ))
  )
    return;
  const moved = await holderOf(aside);
  if (moved !== holder && moved !== undefined && (await isAlive(moved))) await rename(aside, path);
  else await rm(aside, { force: true });
}
