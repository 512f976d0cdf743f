import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeAside } from './aside.ts';
import { createGit, type Git } from './git.ts';
import { withHostFaults } from './host-fault.ts';

/** How object ids are made: git's default, or SHA-256 where the repository is made so. */
export type ObjectFormat = 'sha1' | 'sha256';

const PACK_LIMIT = 50;
const STALE_LOCK_MS = 3_600_000;

/**
 * Opens a bare repository of ours, made if it is not there: the repo-manager's mirror of a repository, or an agent's cache
 * of one. `format` is asked only when it is made. Safe to call from several processes at once; costs one `stat` after the first time.
 */
export async function openMirror(gitDir: string, format: () => Promise<ObjectFormat> | ObjectFormat = () => 'sha1'): Promise<Git> {
  if (!(await exists(path.join(gitDir, 'HEAD')))) await withHostFaults(async () => makeMirror(gitDir, await format()));
  return createGit({ gitDir });
}

/** Made aside and renamed: whoever sees it sees all of it, and of two makers one wins. */
async function makeMirror(gitDir: string, format: ObjectFormat): Promise<void> {
  await mkdir(path.dirname(gitDir), { recursive: true, mode: 0o700 });
  const temporary = await makeAside(path.dirname(gitDir));
  try {
    const init = ['init', '--bare', '--quiet', '--template=', '--initial-branch=none', `--object-format=${format}`];
    await createGit({ gitDir: temporary, settings: ['init.defaultRefFormat=files'] }).run(init);
    await mkdir(path.join(temporary, 'info'), { recursive: true });
    await rename(temporary, gitDir).catch(async (error: unknown) => {
      if (!(await exists(path.join(gitDir, 'HEAD')))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Rolls packs together when there are more than 50 of them. Nothing is dropped, reachable or not (an object may have
 * arrived a moment ago and not be pinned yet), and readers find each object at any moment. Cheap when there is nothing
 * to do. Gives whether it repacked.
 */
export async function maintainMirror(git: Git): Promise<boolean> {
  const files = await readdir(path.join(git.location.gitDir, 'objects', 'pack')).catch(() => []);
  if (files.filter((file) => file.endsWith('.pack')).length <= PACK_LIMIT) return false;
  const lock = path.join(git.location.gitDir, 'multi-agent-repack.lock');
  if (!(await takeLock(lock))) return false;
  try {
    await git.run(['repack', '--geometric=2', '-d', '-q', '--no-write-bitmap-index']);
    return true;
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  const age = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > STALE_LOCK_MS) await rm(lock, { force: true });
  return open(lock, 'wx').then(
    async (file) => {
      await file.close();
      return true;
    },
    () => false,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
