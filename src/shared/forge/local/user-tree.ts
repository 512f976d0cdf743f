import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { CommitId } from '../../domain/ids.ts';
import { MultiAgentError } from '../../errors/errors.ts';
import type { Git } from '../../git/git.ts';
import type { Checkout } from './checkouts.ts';
import type { LocalRepository } from './local-repository.ts';
import { withShadow } from './shadow.ts';

/** What may be done with a user's tree: it is at `from`, it is at `to` already, or something in it would be lost. */
export type TreeState =
  { readonly type: 'at_from' } | { readonly type: 'at_to' } | { readonly type: 'dirty'; readonly paths: readonly string[] };

const MAX_PATHS = 20;
const UNFINISHED = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply'] as const;

/**
 * Looks whether a user's tree can go from one commit to another without any loss: nothing staged, no tracked file changed,
 * no untracked file where the change brings one. Being at `to` is the trace of an earlier try that ended before the ref moved.
 */
export async function inspectTree(repository: LocalRepository, checkout: Checkout, from: CommitId, to: CommitId): Promise<TreeState> {
  const unfinished = await present(checkout.gitDir, UNFINISHED, true);
  if (unfinished.length > 0) return { type: 'dirty', paths: unfinished };
  return withShadow(repository, checkout, from, async (git, setHead) => {
    const [changed, added] = await Promise.all([changedPaths(git), addedPaths(git, from, to)]);
    if (changed.length === 0) {
      const inTheWay = await present(checkout.workTree, added);
      return inTheWay.length === 0 ? { type: 'at_from' } : dirty(inTheWay);
    }
    await setHead(to);
    return (await changedPaths(git)).length === 0 ? { type: 'at_to' } : dirty(changed);
  });
}

/** Moves a user's tree and index from one commit to another; refused by git itself where that would lose something. */
export async function moveTree(repository: LocalRepository, checkout: Checkout, from: CommitId, to: CommitId): Promise<TreeState> {
  try {
    await withShadow(repository, checkout, from, (git) => git.run(['read-tree', '-m', '-u', '--end-of-options', from, to]));
    return { type: 'at_to' };
  } catch (error) {
    const paths = pathsInTheWay(error);
    if (paths === null) throw error;
    return dirty(paths);
  }
}

function dirty(paths: readonly string[]): TreeState {
  return { type: 'dirty', paths: paths.slice(0, MAX_PATHS) };
}

/** Tracked files that differ from HEAD, staged or not. */
async function changedPaths(git: Git): Promise<string[]> {
  const args = ['status', '--porcelain=v1', '-z', '--untracked-files=no', '--ignore-submodules=all', '--no-renames'];
  // May write the index, with the dates of files that were only touched: read-tree takes those for changed ones.
  const { stdout } = await git.run(args, { env: { GIT_OPTIONAL_LOCKS: '1' } });
  return stdout.split('\0').flatMap((entry) => (entry === '' ? [] : [entry.slice(3)]));
}

async function addedPaths(git: Git, from: CommitId, to: CommitId): Promise<string[]> {
  const { stdout } = await git.run([
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--name-only',
    '--diff-filter=A',
    '--end-of-options',
    from,
    to,
  ]);
  return stdout.split('\0').filter((name) => name !== '');
}

/** Which of these are there. Directories in a tree are git's to judge: the same change may empty them. */
async function present(directory: string, names: readonly string[], directories = false): Promise<string[]> {
  const found = await Promise.all(
    names.map((name) =>
      lstat(path.join(directory, name)).then(
        (stats) => directories || !stats.isDirectory(),
        () => false,
      ),
    ),
  );
  return names.filter((_, at) => found[at] === true);
}

/** git's own refusals, for instance `error: Entry 'a.txt' not uptodate. Cannot merge.` */
function pathsInTheWay(error: unknown): string[] | null {
  if (!(error instanceof MultiAgentError) || error.code !== 'git_failed') return null;
  const stderr = String(error.details['stderr']);
  const paths = [
    ...stderr.matchAll(/^error: (?:Entry|Untracked working tree file|Updating) '(.+?)' (?:not uptodate|would|overlaps|is not)/gm),
  ];
  return paths.length === 0 ? null : paths.map((match) => match[1] ?? '');
}
