import type { CommitId } from '../../domain/ids.ts';
import { TerminalError } from '../../errors/errors.ts';
import type { Git } from '../../git/git.ts';
import type { Landing, MergeRequest } from '../forge.ts';
import { type Checkout, findCheckouts, isCheckedOut } from './checkouts.ts';
import { sendCommit } from './fetch.ts';
import { findMergeOf } from './find-merge.ts';
import { type LocalRepository, readBranches } from './local-repository.ts';
import { updateRefs } from './update-refs.ts';
import { inspectTree, moveTree } from './user-tree.ts';

/**
 * Moves the base to a merge commit: objects first, then the trees that have the base checked out, then base and our branch
 * in one transaction. Nothing is pushed, so no hook runs. Called again after a crash it goes on where it was: a tree that is
 * at the merge already is left as it is. If the transaction finds a ref elsewhere, the trees are taken back.
 */
export async function landMerge(repository: LocalRepository, mirror: Git, merge: MergeRequest): Promise<Landing> {
  const branches = await readBranches(repository.git, [merge.base, merge.head]);
  const obstacle = await obstacleOf(repository, merge, branches);
  if (obstacle !== null) return obstacle;

  const [checkouts] = await Promise.all([
    findCheckouts(repository, merge.base),
    sendCommit(mirror, repository.git, merge.mergeCommit, [merge.baseCommit, merge.headCommit].filter(reachable(branches))),
  ]);
  const { moved, dirty } = await moveTrees(repository, checkouts, merge);
  if (dirty === null && (await moveRefs(repository, merge, branches.get(merge.head), moved))) {
    return { type: 'landed', mergeCommit: merge.mergeCommit };
  }
  await takeBack(repository, moved, merge);
  return (
    dirty ?? (await obstacleOf(repository, merge, await readBranches(repository.git, [merge.base, merge.head]))) ?? { type: 'base_moved' }
  );
}

/** What stands in the way by the refs alone, or that it has landed before. */
async function obstacleOf(
  repository: LocalRepository,
  merge: MergeRequest,
  branches: ReadonlyMap<string, CommitId>,
): Promise<Landing | null> {
  const base = branches.get(merge.base);
  if (base === undefined) {
    throw new TerminalError('base_not_found', `The repository ${repository.location} has no branch ${merge.base} any more.`, {
      details: { branch: merge.base },
    });
  }
  if (base !== merge.baseCommit) {
    const landed = await findMergeOf(repository.git, merge.base, merge.headCommit, merge.baseCommit);
    return landed === null ? { type: 'base_moved' } : { type: 'landed', mergeCommit: landed };
  }
  const head = branches.get(merge.head);
  return head === undefined || head === merge.headCommit ? null : { type: 'head_moved', headCommit: head };
}

function reachable(branches: ReadonlyMap<string, CommitId>): (commit: CommitId) => boolean {
  const there = new Set(branches.values());
  return (commit) => there.has(commit);
}

interface Moved {
  readonly moved: readonly Checkout[];
  readonly dirty: Extract<Landing, { type: 'dirty_tree' }> | null;
}

/** All trees are looked at before one is moved. */
async function moveTrees(
  repository: LocalRepository,
  checkouts: readonly Checkout[],
  { baseCommit, mergeCommit }: MergeRequest,
): Promise<Moved> {
  const toMove: Checkout[] = [];
  for (const checkout of checkouts) {
    const state = await inspectTree(repository, checkout, baseCommit, mergeCommit);
    if (state.type === 'dirty') return { moved: [], dirty: { type: 'dirty_tree', location: checkout.workTree, paths: state.paths } };
    if (state.type === 'at_from') toMove.push(checkout);
  }
  for (const [at, checkout] of toMove.entries()) {
    const state = await moveTree(repository, checkout, baseCommit, mergeCommit);
    if (state.type === 'dirty') {
      return { moved: toMove.slice(0, at), dirty: { type: 'dirty_tree', location: checkout.workTree, paths: state.paths } };
    }
  }
  return { moved: checkouts, dirty: null };
}

async function moveRefs(
  repository: LocalRepository,
  merge: MergeRequest,
  head: CommitId | undefined,
  moved: readonly Checkout[],
): Promise<boolean> {
  // A branch that somebody looks at in a worktree stays: deleting it would leave them on nothing.
  const remove = head !== undefined && !(await isCheckedOut(repository, merge.head));
  const updates = [
    { ref: `refs/heads/${merge.base}`, from: merge.baseCommit, to: merge.mergeCommit },
    ...(remove ? [{ ref: `refs/heads/${merge.head}`, from: merge.headCommit, to: null }] : []),
  ];
  try {
    return await updateRefs(repository.git, updates, `multi-agent: merge ${merge.head}`, merge.at);
  } catch (error) {
    await takeBack(repository, moved, merge);
    throw error;
  }
}

/** The trees go to where the base is now. */
async function takeBack(repository: LocalRepository, moved: readonly Checkout[], merge: MergeRequest): Promise<void> {
  if (moved.length === 0) return;
  const base = (await readBranches(repository.git, [merge.base])).get(merge.base);
  if (base === undefined || base === merge.mergeCommit) return;
  for (const checkout of moved) await moveTree(repository, checkout, merge.mergeCommit, base);
}
