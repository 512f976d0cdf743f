import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { CommitSummary } from '../domain/change.ts';
import type { CommitId } from '../domain/ids.ts';
import { gitWith } from './git.ts';
import { commitsBetween } from './inspect.ts';
import { readPlainFile } from './plain-file.ts';
import type { Workspace } from './workspace.ts';

const TIMEOUT_MS = 5_000;
const ID = /^([0-9a-f]{40}|[0-9a-f]{64})\n?$/;

/**
 * The commits a runner made with its own git, oldest first (at most 100); none where there is nothing to be read. What the
 * runner's `.git` says is read as text by us and its objects by our own git, under our configuration: it is never opened as
 * a repository.
 */
export async function runnerCommits({ git, tree, commit }: Workspace): Promise<CommitSummary[]> {
  const gitDir = path.join(tree, '.git');
  const objects = path.join(gitDir, 'objects');
  if (!(await isDirectory(gitDir)) || !(await isDirectory(objects))) return [];
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

async function isDirectory(name: string): Promise<boolean> {
  return lstat(name).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
