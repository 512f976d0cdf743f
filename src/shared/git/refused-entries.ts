import { readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { CommitId } from '../domain/ids.ts';
import { TerminalError } from '../errors/errors.ts';
import { type ChangedEntry, changedEntries } from './diff.ts';
import type { Git } from './git.ts';
import type { Workspace } from './workspace.ts';

const SYMLINK = '120000';
const SUBMODULE = '160000';
const MAX_TARGET_BYTES = 65_536;

export interface EntriesToJudge {
  /** The tree or commit that the entries lead to. */
  readonly to: string;
  /** What was merged in, in a conflict round: what an entry is there already is not the change's doing. */
  readonly mergedWith?: CommitId | undefined;
}

/** Throws `submodule_refused` or `symlink_refused` where a change brings what could reach beyond its tree. */
export async function refuseEntries(
  { git, tree }: Pick<Workspace, 'git' | 'tree'>,
  entries: readonly ChangedEntry[],
  judged: EntriesToJudge,
): Promise<void> {
  const root = await realpath(tree);
  for (const { path: name, mode } of await suspects(git, entries, judged)) {
    if (mode === SUBMODULE) throw submoduleRefused(name);
    await refuseSymlink(root, name);
  }
}

/**
 * The same for commits, without a tree to look at: what somebody else made is looked at again, by who takes it. null where
 * there is nothing to refuse.
 */
export async function refusedEntry(git: Git, from: string, judged: EntriesToJudge): Promise<TerminalError | null> {
  for (const { path: name, mode } of await suspects(git, await changedEntries(git, from, judged.to), judged)) {
    if (mode === SUBMODULE) return submoduleRefused(name);
    const blob = `${judged.to}:${name}`;
    const { stdout: target } = await git.run(['cat-file', 'blob', '--end-of-options', blob], { maxBytes: MAX_TARGET_BYTES });
    if (leavesTree(name, target)) return symlinkRefused(name, target);
  }
  return null;
}

/** Symlinks and submodules that are not, mode and id, those of the commit that was merged in. */
async function suspects(git: Git, entries: readonly ChangedEntry[], { to, mergedWith }: EntriesToJudge): Promise<ChangedEntry[]> {
  const found = entries.filter(({ mode }) => mode === SUBMODULE || mode === SYMLINK);
  if (found.length === 0 || mergedWith === undefined) return found;
  const differing = new Set((await changedEntries(git, mergedWith, to)).map(({ path: name }) => name));
  return found.filter(({ path: name }) => differing.has(name));
}

export function submoduleRefused(name: string): TerminalError {
  return new TerminalError('submodule_refused', `The change has a repository inside the repository, which is not accepted: ${name}`, {
    details: { path: name },
  });
}

/** Whether a part of a path is `.git`, in whatever case. */
export function isRefusedName(name: string): boolean {
  return name.split('/').some((part) => part.toLowerCase() === '.git');
}

async function refuseSymlink(root: string, name: string): Promise<void> {
  const target = await readlink(path.join(root, name)).catch(() => undefined);
  if (target === undefined || leavesTree(name, target) || !(await resolvesInside(root, path.join(root, name)))) {
    throw symlinkRefused(name, target);
  }
}

function symlinkRefused(name: string, target: string | undefined): TerminalError {
  return new TerminalError('symlink_refused', `The change has a symbolic link that leaves the repository: ${name}`, {
    details: { path: name, target: target ?? null },
  });
}

/**
 * By the text alone, since what it points to may come later: absolute, or going up further than to the root, or going up
 * again after it has gone down (there might be a symlink on the way, and `..` would leave from where that leads).
 */
export function leavesTree(name: string, target: string): boolean {
  if (path.posix.isAbsolute(target) || isRefusedName(target)) return true;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const down = parts.findIndex((part) => part !== '..');
  const ups = down < 0 ? parts.length : down;
  return parts.slice(ups).includes('..') || ups > name.split('/').length - 1;
}

/** And by where it leads now, through symlinks that were there before. A dangling one leads nowhere. */
async function resolvesInside(root: string, link: string): Promise<boolean> {
  const real = await realpath(link).catch(() => root);
  return real === root || real.startsWith(root + path.sep);
}
