import type { CommitId } from '../../domain/ids.ts';
import { MultiAgentError } from '../../errors/errors.ts';
import type { Git } from '../../git/git.ts';

/** How far back to look where `since` is not there any more (the base was rewritten). */
const REWRITTEN_LIMIT = 1_000;

/** The first-parent commit of `branch` after `since` whose second parent is `headCommit`. */
export async function findMergeOf(git: Git, branch: string, headCommit: CommitId, since: CommitId): Promise<CommitId | null> {
  const walk = ['rev-list', '--first-parent', '--parents', '--min-parents=2'];
  try {
    return find(await git.run([...walk, '--end-of-options', `refs/heads/${branch}`, `^${since}`]), headCommit);
  } catch (error) {
    if (!(error instanceof MultiAgentError) || error.code !== 'git_failed') throw error;
    const limited = [...walk, `--max-count=${String(REWRITTEN_LIMIT)}`, '--ignore-missing', '--end-of-options', `refs/heads/${branch}`];
    return find(await git.run(limited), headCommit);
  }
}

function find({ stdout }: { readonly stdout: string }, headCommit: CommitId): CommitId | null {
  for (const line of stdout.split('\n')) {
    const [commit, , second] = line.split(' ');
    if (commit !== undefined && second === headCommit) return commit;
  }
  return null;
}
