import { lstat, readdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { TerminalError } from '../errors/errors.ts';
import { removeBlockingFiles } from './blocking-files.ts';
import type { Git } from './git.ts';
import { removeTree } from './remove.ts';

/** A tree with a FIFO where git reads a file would hold it for ever. */
const TIMEOUT_MS = 120_000;

/**
 * Makes the tree exactly what `tree` holds: changed files are written again, all others deleted, ignored ones and nested
 * repositories too. `known`: the directory is known to be empty, or to hold nothing but what the index says.
 */
export async function checkOut(git: Git, tree: string, { known }: { readonly known?: 'empty' | 'clean' } = {}): Promise<void> {
  if (known !== 'empty') await assertDirectory(workTreeOf(git));
  await git.run(['read-tree', '--reset', '-u', '--end-of-options', tree], { timeoutMs: TIMEOUT_MS });
  if (known === undefined) await removeStrangers(git);
}

/** Undoes all that a runner did to the tree, its `.git` included. */
export async function cleanTree(git: Git, tree: string): Promise<void> {
  await assertDirectory(workTreeOf(git));
  await removeTree(path.join(workTreeOf(git), '.git'));
  await removeBlockingFiles(workTreeOf(git));
  await checkOut(git, tree);
}

function workTreeOf(git: Git): string {
  const { workTree } = git.location;
  if (workTree === undefined) throw new TypeError('this git has no work tree');
  return workTree;
}

async function assertDirectory(directory: string): Promise<void> {
  const stats = await lstat(directory).catch(() => undefined);
  if (stats?.isDirectory() !== true) throw new TerminalError('workspace_damaged', 'The workspace is not a directory any more.');
}

/** `git clean` never looks at anything named `.git`, so those go by our own hand, after it has made the rest small. */
async function removeStrangers(git: Git): Promise<void> {
  await git.run(['clean', '-ffdxq'], { timeoutMs: TIMEOUT_MS });
  await removeHidden(workTreeOf(git));
}

/** Removes nested `.git` entries, and what is neither file, directory nor symlink: git sees neither. */
async function removeHidden(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const file = path.join(directory, entry.name);
    if (entry.name.toLowerCase() === '.git') await removeTree(file);
    else if (entry.isDirectory()) await removeHidden(file);
    else if (!entry.isFile() && !entry.isSymbolicLink()) await unlink(file);
  }
}
