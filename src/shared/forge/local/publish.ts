import type { CommitId } from '../../domain/ids.ts';
import { MultiAgentError, TerminalError } from '../../errors/errors.ts';
import type { Git } from '../../git/git.ts';
import { keptBases } from '../../git/refs.ts';
import { isCheckedOut } from './checkouts.ts';
import { sendCommit } from './fetch.ts';
import { type LocalRepository, readBranches } from './local-repository.ts';
import { updateRefs } from './update-refs.ts';

/**
 * Moves our branch in the user's repository from `expected` to `headCommit`; fine where it is there already. Throws
 * `TerminalError` `branch_conflict` where it is elsewhere. The compare-and-swap comes first and the look after it.
 */
export async function publish(
  repository: LocalRepository,
  mirror: Git,
  head: string,
  headCommit: CommitId,
  expected: CommitId | null,
): Promise<void> {
  const known = [...(await keptBases(mirror)).values(), ...(expected === null ? [] : [expected])];
  await sendCommit(mirror, repository.git, headCommit, known);
  if (await moveBranch(repository, head, headCommit, expected)) return;
  const now = (await readBranches(repository.git, [head])).get(head) ?? null;
  if (now !== headCommit) throw branchConflict(repository, head, now, expected);
}

/** Removes our branch where it is at `headCommit`, and nobody looks at it in a worktree. */
export async function removeBranch(repository: LocalRepository, head: string, headCommit: CommitId): Promise<void> {
  const now = (await readBranches(repository.git, [head])).get(head);
  if (now !== headCommit || (await isCheckedOut(repository, head))) return;
  await updateRefs(repository.git, [{ ref: `refs/heads/${head}`, from: headCommit, to: null }], 'multi-agent: merged', Date.now());
}

async function moveBranch(repository: LocalRepository, head: string, to: CommitId, from: CommitId | null): Promise<boolean> {
  try {
    return await updateRefs(repository.git, [{ ref: `refs/heads/${head}`, from, to }], 'multi-agent: new round', Date.now());
  } catch (error) {
    if (!(error instanceof MultiAgentError) || error.code !== 'ref_conflict') throw error;
    throw new TerminalError(
      'branch_conflict',
      `The branch ${head} can't be made in ${repository.location}: another branch's name is in its way.`,
      {
        cause: error,
      },
    );
  }
}

function branchConflict({ location }: LocalRepository, head: string, found: CommitId | null, expected: CommitId | null): TerminalError {
  const message = `The branch ${head} of ${location} is at ${found ?? 'nothing'} and not at ${expected ?? 'nothing'}: somebody else moved it.`;
  return new TerminalError('branch_conflict', message, { details: { branch: head, found, expected } });
}
