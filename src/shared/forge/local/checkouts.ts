import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Git, gitWith } from '../../git/git.ts';
import { readPlainFile } from '../../git/plain-file.ts';
import { branchOfHead, hasPlainFiles, type LocalRepository } from './local-repository.ts';

/** A working tree of the user's that has a branch checked out. */
export interface Checkout {
  readonly workTree: string;
  /** Its HEAD and index are here: the repository itself, or a linked worktree's part of it. */
  readonly gitDir: string;
  /** What of the repository's configuration says how files are written; nothing that could run a program. */
  readonly settings: readonly string[];
}

const PLAIN_SETTINGS = /^core\.(?:bare|worktree|filemode|autocrlf|eol|symlinks|ignorecase)$/;
const PLAIN_VALUE = /^(?:true|false|input|lf|crlf|native)$/i;

/** Where a branch is checked out: the main tree, and linked ones. No git process where it is nowhere. */
export async function findCheckouts(repository: LocalRepository, branch: string): Promise<Checkout[]> {
  const candidates = [repository.commonDir, ...(await linkedGitDirs(repository.commonDir))];
  const found: Checkout[] = [];
  for (const gitDir of candidates) {
    if ((await branchOfHead(gitDir)) !== branch) continue;
    const checkout = await checkoutOf(repository, gitDir);
    if (checkout !== null) found.push(checkout);
  }
  return found;
}

/** Whether some working tree has the branch checked out. */
export async function isCheckedOut(repository: LocalRepository, branch: string): Promise<boolean> {
  const heads = await Promise.all([repository.commonDir, ...(await linkedGitDirs(repository.commonDir))].map(branchOfHead));
  return heads.includes(branch);
}

async function linkedGitDirs(commonDir: string): Promise<string[]> {
  const directory = path.join(commonDir, 'worktrees');
  const names = await readdir(directory).catch(() => []);
  return names.sort().map((name) => path.join(directory, name));
}

async function checkoutOf(repository: LocalRepository, gitDir: string): Promise<Checkout | null> {
  if (!(await hasPlainFiles(gitDir))) return null;
  const settings = await readSettings(gitWith(repository.git, { gitDir }));
  const workTree = gitDir === repository.commonDir ? mainWorkTree(gitDir, settings) : await linkedWorkTree(gitDir);
  const real = workTree === null ? null : await realpath(workTree).catch(() => null);
  // The tree of a linked worktree may have been deleted by hand: then there is nothing to keep in step.
  if (real === null || !(await stat(real)).isDirectory()) return null;
  const writing = [...settings].filter(([name, value]) => name !== 'core.bare' && name !== 'core.worktree' && PLAIN_VALUE.test(value));
  return { workTree: real, gitDir, settings: writing.map(([name, value]) => `${name}=${value}`) };
}

async function readSettings(git: Git): Promise<Map<string, string>> {
  const { stdout } = await git.run(['config', '-z', '--get-regexp', '^core\\.'], { answers: [0, 1] });
  const entries = stdout.split('\0').map((entry) => {
    const end = entry.indexOf('\n');
    return end < 0 ? ([entry, 'true'] as const) : ([entry.slice(0, end), entry.slice(end + 1)] as const);
  });
  return new Map(entries.filter(([name]) => PLAIN_SETTINGS.test(name)));
}

function mainWorkTree(gitDir: string, settings: ReadonlyMap<string, string>): string | null {
  const named = settings.get('core.worktree');
  if (named !== undefined) return path.resolve(gitDir, named);
  if (settings.get('core.bare') === 'true') return null;
  return path.basename(gitDir) === '.git' ? path.dirname(gitDir) : null;
}

async function linkedWorkTree(gitDir: string): Promise<string | null> {
  const link = (await readPlainFile(path.join(gitDir, 'gitdir'))).trim();
  return link === '' ? null : path.dirname(path.resolve(gitDir, link));
}
