import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UnreachableError } from '../errors/errors.ts';
import { isAlive } from './process-state.ts';

export interface FileLockOptions {
  /** How long to wait for another holder, in ms. Default 120 000. */
  readonly timeoutMs?: number;
}

const LOOK_EVERY_MS = 25;
const TAKEOVER_MS = 10_000;

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
    if (holder === undefined) continue;
    if (!(await isAlive(holder))) await discard(path);
    else if (performance.now() > deadline) {
      throw new UnreachableError('locked', `${path} is held by process ${String(holder)}; wait for it to end, or remove the file`);
    } else await delay(LOOK_EVERY_MS);
  }
}

/** By a link, so that a lock is never there without the name of its holder. */
async function tryCreate(path: string): Promise<boolean> {
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, String(process.pid), { mode: 0o600 });
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** Undefined when it has just been given back. */
async function holderOf(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}

/**
 * Removes the lock of a holder that is gone. Of several that found it only one may: otherwise a slow one would remove the fresh lock that
 * a quick one made meanwhile. Hence a second lock, and another look under it.
 */
async function discard(path: string): Promise<void> {
  const takeover = `${path}.takeover`;
  if (!(await tryCreate(takeover))) {
    await removeIfOld(takeover);
    await delay(LOOK_EVERY_MS);
    return;
  }
  try {
    const holder = await holderOf(path);
    if (holder !== undefined && !(await isAlive(holder))) await rm(path, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** A takeover takes milliseconds: one that is older was killed in the midst of it. */
async function removeIfOld(takeover: string): Promise<void> {
  const found = await stat(takeover).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs > TAKEOVER_MS) await rm(takeover, { force: true });
}
