import { readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import { TerminalError } from '../errors/errors.ts';
import { type ChangedEntry, changedEntries } from './diff.ts';
import type { Git } from './git.ts';

const SYMLINK = '120000';
const SUBMODULE = '160000';
const MAX_TARGET_BYTES = 65_536;

/** Throws `submodule_refused` or `symlink_refused` where a change brings what could reach beyond its tree. */
export async function refuseEntries(tree: string, entries: readonly ChangedEntry[]): Promise<void> {
  const root = await realpath(tree);
  for (const { path: name, mode } of entries) {
    if (mode === SUBMODULE) throw submoduleRefused(name);
    if (mode === SYMLINK) await refuseSymlink(root, name);
  }
}

/**
 * The same for commits, without a tree to look at: what somebody else made is looked at again, by who takes it. null where
 * there is nothing to refuse.
 */
export async function refusedEntry(git: Git, from: string, to: string): Promise<TerminalError | null> {
  for (const { path: name, mode, status } of await changedEntries(git, from, to)) {
    if (status === 'deleted') continue;
    if (mode === SUBMODULE) return submoduleRefused(name);
    if (mode !== SYMLINK) continue;
    const { stdout: target } = await git.run(['cat-file', 'blob', '--end-of-options', `${to}:${name}`], { maxBytes: MAX_TARGET_BYTES });
    if (leavesTree(name, target)) return symlinkRefused(name, target);
  }
  return null;
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
