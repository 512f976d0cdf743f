import type { CommitId, Instant } from '../../domain/ids.ts';
import { MultiAgentError } from '../../errors/errors.ts';
import { identityEnvironment } from '../../git/environment.ts';
import type { Git } from '../../git/git.ts';

export interface RefUpdate {
  readonly ref: string;
  /** What it must point at now; null: it must not be there. */
  readonly from: CommitId | null;
  /** null deletes it. */
  readonly to: CommitId | null;
}

/**
 * Moves refs in one transaction: all of them or none. Gives false when one was not what it must be. No hook runs. Throws
 * `RetryableError` `repository_locked` while somebody else holds a lock.
 */
export async function updateRefs(git: Git, updates: readonly RefUpdate[], message: string, at: Instant): Promise<boolean> {
  const commands = ['start', ...updates.map(commandOf), 'prepare', 'commit'];
  try {
    await git.run(['update-ref', '-m', message, '--stdin'], { input: `${commands.join('\n')}\n`, env: identityEnvironment(at) });
    return true;
  } catch (error) {
    if (error instanceof MultiAgentError && error.code === 'ref_moved') return false;
    throw error;
  }
}

function commandOf({ ref, from, to }: RefUpdate): string {
  if (to === null) return `delete ${ref} ${String(from)}`;
  return from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
}
