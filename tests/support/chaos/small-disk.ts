import { execFileSync } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../src/shared/errors/errors.ts';
import { hasErrorCode } from '../../../src/shared/git/error-code.ts';

/** Set by `scripts/chaos.mjs` where this process has a mount namespace of its own: what is mounted there goes with the process. */
export const OWN_MOUNTS_VARIABLE = 'CHAOS_OWN_MOUNTS';

/** A file system of its own, small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the space there is. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  /** Unmounts it; nobody may have a file on it open. */
  remove(): void;
}

const CHUNK_BYTES = 1024 * 1024;

/** A tmpfs of this size at `path`; where that is not allowed, why not. */
export async function makeSmallDisk(path: string, sizeBytes: number): Promise<SmallDisk | { readonly why: string }> {
  if (process.env[OWN_MOUNTS_VARIABLE] !== '1') return { why: 'no mount namespace of its own (needs root and unshare)' };
  await mkdir(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=700`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    return { why: messageOf(error).trim().split('\n').at(-1) ?? 'mount failed' };
  }
  const filler = join(path, 'filler');
  return {
    path,
    fill: () => fill(path, filler),
    free: () => rm(filler, { force: true }),
    remove: () => void execFileSync('umount', [path], { stdio: 'pipe' }),
  };
}

async function fill(path: string, filler: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const file = await open(filler, 'w');
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let left = bavail * bsize + CHUNK_BYTES; left > 0; left -= CHUNK_BYTES) await file.write(chunk);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOSPC')) throw error;
  } finally {
    await file.close();
  }
}
