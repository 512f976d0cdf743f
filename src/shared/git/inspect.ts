import type { CommitSummary } from '../domain/change.ts';
import type { CommitId } from '../domain/ids.ts';
import type { Git } from './git.ts';

/** Which of these objects the repository does not have. */
export async function missingObjects(git: Git, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { stdout } = await git.run(['cat-file', '--batch-check=%(objectname)'], { input: ids.map((id) => `${id}\n`).join('') });
  const missing = new Set(stdout.split('\n').flatMap((line) => (line.endsWith(' missing') ? [line.slice(0, -' missing'.length)] : [])));
  return ids.filter((id) => missing.has(id));
}

export async function commitExists(git: Git, id: CommitId): Promise<boolean> {
  const { stdout } = await git.run(['cat-file', '--batch-check=%(objecttype)'], { input: `${id}\n` });
  return stdout.trim() === 'commit';
}

/** Whether `ancestor` is `descendant` or one of the commits it descends from. */
export async function isAncestor(git: Git, ancestor: CommitId, descendant: CommitId): Promise<boolean> {
  const { exitCode } = await git.run(['merge-base', '--is-ancestor', '--end-of-options', ancestor, descendant], { answers: [0, 1] });
  return exitCode === 0;
}

/** The tree of a commit. */
export async function treeOf(git: Git, commit: CommitId): Promise<string> {
  const { stdout } = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{tree}`]);
  return stdout.trim();
}

/**
 * The text of a file in a commit, null where there is none (or it is a directory, a symlink, a submodule). `path` is
 * relative to the root, with `/`. Throws `TerminalError` `git_output_too_long` above `maxBytes` (default 1 MB).
 */
export async function readFileAt(git: Git, commit: CommitId, path: string, maxBytes = 1_048_576): Promise<string | null> {
  const { stdout } = await git.run(['ls-tree', '-z', '--full-tree', '--end-of-options', commit, '--', path]);
  const id = /^100(?:644|755) blob ([0-9a-f]+)\t/.exec(stdout)?.[1];
  if (id === undefined) return null;
  const file = await git.run(['cat-file', 'blob', id], { maxBytes });
  return file.stdout;
}

/** The names of the plain files at the root of a commit. */
export async function rootFilesOf(git: Git, commit: CommitId): Promise<string[]> {
  const { stdout } = await git.run(['ls-tree', '-z', '--full-tree', '--end-of-options', commit]);
  return stdout.split('\0').flatMap((entry) => /^100(?:644|755) blob [0-9a-f]+\t(.+)$/s.exec(entry)?.[1] ?? []);
}

export interface ListOptions {
  /** The most commits to list, default 100. */
  readonly limit?: number;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/** The commits from `base` (without it) to `head`, oldest first; of too many the newest. */
export async function commitsBetween(git: Git, base: CommitId, head: CommitId, options: ListOptions = {}): Promise<CommitSummary[]> {
  const { limit = 100, ...limits } = options;
  const args = ['log', '-z', '--format=%H%n%B', `--max-count=${String(limit)}`, '--end-of-options', head, `^${base}`];
  const { stdout } = await git.run(args, limits);
  return stdout
    .split('\0')
    .flatMap((entry) => {
      const end = entry.indexOf('\n');
      return end < 0 ? [] : [{ id: entry.slice(0, end), message: entry.slice(end + 1).trimEnd() }];
    })
    .reverse();
}
