import { lstat, opendir } from 'node:fs/promises';
import path from 'node:path';
import type { CommitSummary } from '../domain/change.ts';
import type { CommitId } from '../domain/ids.ts';
import { gitWith } from './git.ts';
import { commitsBetween } from './inspect.ts';
import { readPlainFile } from './plain-file.ts';
import type { Workspace } from './workspace.ts';

const TIMEOUT_MS = 5_000;
/** A run's own commits are a few hundred objects, or one pack. */
const MOST_ENTRIES = 20_000;
const ID = /^([0-9a-f]{40}|[0-9a-f]{64})\n?$/;

/**
 * The commits a runner made with its own git, oldest first (at most 100); none where there is nothing to be read. What the
 * runner's `.git` says is read as text by us and its objects by our own git, under our configuration: it is never opened as
 * a repository. What leads from there to another repository is nothing to be read: the runner can't look into that one, and would have us do it.
 */
export async function runnerCommits({ git, tree, commit, objects: ours }: Workspace): Promise<CommitSummary[]> {
  const gitDir = path.join(tree, '.git');
  const objects = path.join(gitDir, 'objects');
  if (!(await isDirectory(gitDir)) || !(await isDirectory(objects)) || !(await standsAlone(objects, ours))) return [];
  const head = await headOf(gitDir);
  if (head === null || head === commit) return [];
  const reader = gitWith(git, { alternates: [objects] });
  return commitsBetween(reader, commit, head, { timeoutMs: TIMEOUT_MS, maxBytes: 1_000_000 }).catch(() => []);
}

async function headOf(gitDir: string): Promise<CommitId | null> {
  const head = await readPlainFile(path.join(gitDir, 'HEAD'), 1_000);
  const branch = /^ref: refs\/heads\/([A-Za-z0-9][A-Za-z0-9._/-]{0,200})\n?$/.exec(head)?.[1];
  if (branch === undefined) return ID.exec(head)?.[1] ?? null;
  if (branch.includes('..')) return null;
  return ID.exec(await readPlainFile(path.join(gitDir, 'refs', 'heads', branch), 1_000))?.[1] ?? null;
}

/** Whether all objects lie in there, or in the cache that the runner was given to read: no link, no other alternates, nothing that git would wait for. */
async function standsAlone(objects: string, ours: string): Promise<boolean> {
  const alternates = await readPlainFile(path.join(objects, 'info', 'alternates'));
  return ['', `${ours}\n`].includes(alternates) && (await holdsOnlyFiles(objects).catch(() => false));
}

async function holdsOnlyFiles(directory: string): Promise<boolean> {
  let entries = 0;
  for await (const entry of await opendir(directory, { recursive: true })) {
    entries += 1;
    if (entries > MOST_ENTRIES || (!entry.isFile() && !entry.isDirectory())) return false;
  }
  return true;
}

async function isDirectory(name: string): Promise<boolean> {
  return lstat(name).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
