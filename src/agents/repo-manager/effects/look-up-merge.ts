import type { EffectOutcome } from '../../../shared/domain/effect.ts';
import type { Job, PendingEffect } from '../../../shared/domain/job.ts';
import { TerminalError } from '../../../shared/errors/errors.ts';
import { openRepository, type RepoManagerContext, required } from '../context.ts';

/**
 * What an effect that is given up has come to all the same: a merge may have moved the base before it failed. null: nothing,
 * or nothing that can be seen.
 *
 * @throws what keeps it from being looked up just now
 */
export async function lookUpMerge(context: RepoManagerContext, job: Job, { effect }: PendingEffect): Promise<EffectOutcome | null> {
  if (effect.type !== 'MergeChange') return null;
  const baseCommit = required(job.baseCommit, 'baseCommit');
  try {
    const { forge, repository } = await openRepository(context, job);
    const mergeCommit = await forge.findMerge(repository, required(job.base, 'base'), effect.headCommit, baseCommit);
    return mergeCommit === null ? null : { type: 'Merged', mergeCommit, baseCommit, checks: [] };
  } catch (error) {
    if (error instanceof TerminalError) return null;
    throw error;
  }
}
