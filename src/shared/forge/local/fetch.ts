import { createHash } from 'node:crypto';
import type { CommitId, Instant } from '../../domain/ids.ts';
import { MultiAgentError, TerminalError } from '../../errors/errors.ts';
import type { Git } from '../../git/git.ts';
import { writeEmptyCommit } from '../../git/objects.ts';
import { keepBase, keptBases } from '../../git/refs.ts';
import { transferObjects } from '../../git/transfer.ts';
import { type LocalRepository, readBranches } from './local-repository.ts';
import { updateRefs } from './update-refs.ts';

/** Brings the newest commit of a branch into the mirror; a repository without any commit gets its first one. */
export async function fetchBranch(repository: LocalRepository, mirror: Git, branch: string, at: Instant): Promise<CommitId> {
  const found = (await readBranches(repository.git, [branch])).get(branch);
  const commit = found ?? (await makeFirstCommit(repository, mirror, branch, at));
  await bring(repository.git, mirror, commit);
  await keepBase(mirror, baseKey(branch), commit);
  return commit;
}

/** The name under which the mirror remembers a base branch. */
export function baseKey(branch: string): string {
  return createHash('sha256').update(branch).digest('hex').slice(0, 16);
}

/** Copies a commit into the mirror, unless it is there: without what both sides are known to have. */
export async function bring(source: Git, mirror: Git, commit: CommitId): Promise<void> {
  await sendCommit(source, mirror, commit, [...(await keptBases(mirror)).values()]);
}

/** Copies a commit from one side to the other. What we believe the other one to have may be gone: then all is sent. */
export async function sendCommit(source: Git, target: Git, commit: CommitId, known: readonly CommitId[]): Promise<void> {
  if (known.includes(commit)) return;
  try {
    await transferObjects(source, target, [commit], { known });
  } catch (error) {
    if (known.length === 0 || !(error instanceof MultiAgentError) || error.code !== 'git_failed') throw error;
    await transferObjects(source, target, [commit]);
  }
}

/** An empty commit, put there only if the branch still points at nothing: of several makers one wins. */
async function makeFirstCommit({ git, location }: LocalRepository, mirror: Git, branch: string, at: Instant): Promise<CommitId> {
  const { stdout } = await git.run(['for-each-ref', '--count=1', '--format=%(refname)', '--', 'refs/heads']);
  if (stdout.trim() !== '')
    throw new TerminalError('base_not_found', `The repository ${location} has no branch ${branch}.`, { details: { branch } });
  const format = await mirror.run(['rev-parse', '--show-object-format']);
  const commit = await writeEmptyCommit(mirror, { message: 'Initial commit', at }, format.stdout.trim() === 'sha256' ? 64 : 40);
  await transferObjects(mirror, git, [commit]);
  const created = await updateRefs(git, [{ ref: `refs/heads/${branch}`, from: null, to: commit }], 'commit (initial): multi-agent', at);
  if (created) return commit;
  const winner = (await readBranches(git, [branch])).get(branch);
  if (winner === undefined) throw new TerminalError('base_not_found', `The branch ${branch} of ${location} came and went.`);
  return winner;
}
