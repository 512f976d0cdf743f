import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerTask } from './runner.ts';

/** The private directories of one run, and the file that tells it its task. */
export interface RunDirectory {
  /** All of it. */
  readonly root: string;
  readonly home: string;
  readonly tmp: string;
  readonly contextFile: string;
  /** Removes all of it; never throws, since `scratch` is removed after the task anyway. */
  remove(): Promise<void>;
}

/**
 * Makes them under `task.scratch`, readable by the owner only. A new name for each run: an earlier try could write in
 * `scratch`, and may have left a symlink where a fixed name would be written.
 */
export async function openRunDirectory(task: RunnerTask): Promise<RunDirectory> {
  const root = await mkdtemp(join(task.scratch, 'run-'));
  const directory = { root, home: join(root, 'home'), tmp: join(root, 'tmp'), contextFile: join(root, 'context.json') };
  await mkdir(directory.home, { mode: 0o700 });
  await mkdir(directory.tmp, { mode: 0o700 });
  await writeFile(directory.contextFile, `${JSON.stringify(task.context, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return {
    ...directory,
    remove: async () => {
      await rm(root, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}
