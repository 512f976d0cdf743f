import { mkdir, readdir, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { homePaths } from '../config/home.ts';
import type { TaskRole } from '../domain/ids.ts';
import { removeTree } from '../git/remove.ts';

const KEPT_MS = 14 * 24 * 60 * 60 * 1_000;

/** Makes the folder that a job's runner of this role keeps between rounds (`RunnerTask.sessions`), owner-only. Gives its path. */
export async function openSessions(home: string, jobId: string, role: TaskRole): Promise<string> {
  const folder = join(homePaths(home).sessions, jobId, role);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const now = new Date();
  await utimes(folder, now, now);
  return folder;
}

/** Removes the folder again where the runner has kept nothing in it. */
export async function closeSessions(folder: string): Promise<void> {
  // Both refuse what is not empty.
  await rmdir(folder)
    .then(() => rmdir(dirname(folder)))
    .catch(() => undefined);
}

/** Removes what was not opened for 14 days: its job has ended, or begins anew without harm. Gives the ids of the jobs. */
export async function sweepSessions(home: string, nowMs: number): Promise<string[]> {
  const { sessions } = homePaths(home);
  const removed: string[] = [];
  for (const jobId of await readdir(sessions).catch(() => [])) {
    const folder = join(sessions, jobId);
    if (nowMs - (await lastOpenedMs(folder)) < KEPT_MS) continue;
    await removeTree(folder);
    removed.push(jobId);
  }
  return removed;
}

/** Of the folder of a job: when one of its roles was last opened, or it was made. Now, where that can't be told. */
async function lastOpenedMs(folder: string): Promise<number> {
  const roles = await readdir(folder).catch(() => []);
  const times = await Promise.all([folder, ...roles.map((role) => join(folder, role))].map(modifiedMs));
  return Math.max(...times);
}

async function modifiedMs(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
}
