import { lstat } from 'node:fs/promises';
import { TerminalError } from '../errors/errors.ts';
import { removeBlockingFiles } from './blocking-files.ts';
import { isRefusedName, submoduleRefused } from './refused-entries.ts';
import type { Workspace } from './workspace.ts';

/** Longer than any tree takes. */
const TIMEOUT_MS = 120_000;

/**
 * Puts what differs from our index into it and gives the tree.
 *
 * Not `git add`: that runs `git status` inside a submodule it knows, with the configuration that a runner planted there.
 * These commands look at names, dates and contents only.
 */
export async function stageTree({ git, tree }: Workspace): Promise<string> {
  const root = await lstat(tree).catch(() => undefined);
  if (root?.isDirectory() !== true) throw new TerminalError('workspace_damaged', 'The runner left something else where its directory was.');

  await removeBlockingFiles(tree);
  const { stdout } = await git.runBytes(['ls-files', '-z', '-m', '-o', '--exclude-standard'], { timeoutMs: TIMEOUT_MS });
  // latin1 keeps every byte of a name as it is.
  const changed = [...new Set(stdout.toString('latin1').split('\0'))].filter((name) => name !== '');
  const staged = await withoutReplaced(tree, changed);
  if (staged.length > 0) {
    const input = Buffer.from(staged.map((name) => `${name}\0`).join(''), 'latin1');
    await git.run(['update-index', '--add', '--remove', '--replace', '-z', '--stdin'], { input, timeoutMs: TIMEOUT_MS });
  }
  const written = await git.run(['write-tree']);
  return written.stdout.trim();
}

/**
 * Refuses nested repositories, and leaves out what vanishes by itself when its replacement is added: files below what is a
 * file or symlink now (git would not look beyond a symlink), and a file that is a directory with files now.
 */
async function withoutReplaced(tree: string, changed: readonly string[]): Promise<string[]> {
  const replacements = new Set<string>();
  const above = new Set(changed.flatMap(ancestors));
  const directories = new Set<string>();
  for (const name of changed) {
    // git lists a nested repository as a directory.
    if (isRefusedName(name) || name.endsWith('/')) throw submoduleRefused(display(name));
    const stats = await lstat(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(name, 'latin1')])).catch(() => undefined);
    if (stats?.isDirectory() === true) directories.add(name);
    else if (stats !== undefined) replacements.add(name);
  }
  return changed.filter(
    (name) => !ancestors(name).some((ancestor) => replacements.has(ancestor)) && !(directories.has(name) && above.has(name)),
  );
}

function ancestors(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/'));
}

function display(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8').replace(/\/$/, '');
}
