import type { FileChange } from '../domain/change.ts';
import type { CommitId } from '../domain/ids.ts';
import { gitFailure } from './failure.ts';
import { type Git, gitCommand, readGit } from './git.ts';
import { startGit } from './start-git.ts';

const NOTHING_RUN = ['--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=all'] as const;
const DEFAULT_MAX_BYTES = 1_000_000;

/**
 * What `head` changed since it left `base` (the diff from their merge base), as a unified diff. Above `maxBytes` (default
 * 1 MB) it is cut at a line, and its last line says so.
 */
export async function diffOf(git: Git, base: CommitId, head: CommitId, maxBytes = DEFAULT_MAX_BYTES): Promise<string> {
  const args = ['diff', ...NOTHING_RUN, '-M', '--src-prefix=a/', '--dst-prefix=b/', '--end-of-options', `${base}...${head}`];
  const { stdout, tooLong, ...end } = await readGit(startGit(gitCommand(git.location, args)), maxBytes);
  const text = stdout.toString('utf8');
  if (tooLong) return `${text.slice(0, text.lastIndexOf('\n') + 1)}(the diff is longer than ${String(maxBytes)} bytes and was cut here)\n`;
  if (end.exitCode === 0) return text;
  throw gitFailure({ args, ...end });
}

/** A changed file, and what it is afterwards as git's mode: `100644`, `120000` a symlink, `160000` a submodule, `000000` gone. */
export interface ChangedEntry extends FileChange {
  readonly mode: string;
}

/** The files in which two commits or trees differ, renames found. One process. */
export async function changedEntries(git: Git, from: string, to: string): Promise<ChangedEntry[]> {
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '-M',
    '--raw',
    '--numstat',
    ...NOTHING_RUN,
    '--ignore-submodules=none',
    '--end-of-options',
    from,
    to,
  ];
  const { stdout } = await git.run(args);
  return readEntries(stdout.split('\0'));
}

/** The files that `head` changed since it left `base`. */
export async function filesChangedBetween(git: Git, base: CommitId, head: CommitId): Promise<FileChange[]> {
  const args = [
    'diff',
    '-z',
    '-M',
    '--raw',
    '--numstat',
    ...NOTHING_RUN,
    '--ignore-submodules=none',
    '--end-of-options',
    `${base}...${head}`,
  ];
  const { stdout } = await git.run(args);
  return readEntries(stdout.split('\0')).map(({ path, status, additions, deletions }) => ({ path, status, additions, deletions }));
}

const STATUS = { A: 'added', M: 'modified', T: 'modified', D: 'deleted', R: 'renamed', C: 'added' } as const;

/** First the raw lines (`:modes ids status`, path, for renames a second path), then the numbers in the same order. */
function readEntries(fields: readonly string[]): ChangedEntry[] {
  const entries: { mode: string; status: FileChange['status']; path: string }[] = [];
  let at = 0;
  for (; fields[at]?.startsWith(':') === true; at += 2) {
    const [, mode = '', , , letter = ''] = (fields[at] ?? '').split(' ');
    const status = STATUS[letter.charAt(0) as keyof typeof STATUS];
    if (status === 'renamed' || letter.startsWith('C')) at += 1;
    entries.push({ mode, status, path: fields[at + 1] ?? '' });
  }
  return entries.map((entry) => {
    const [additions = '', deletions = '', path] = (fields[at] ?? '').split('\t');
    // A rename has an empty path here, and its two paths in fields of their own.
    at += path === '' ? 3 : 1;
    return { ...entry, additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
  });
}
