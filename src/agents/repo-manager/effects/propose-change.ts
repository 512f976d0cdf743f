import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import { branchOf } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { TerminalError } from '../../../shared/errors/errors.ts';
import type { Forge, MirroredRepository } from '../../../shared/forge/forge.ts';
import type { Git } from '../../../shared/git/git.ts';
import { isAncestor } from '../../../shared/git/inspect.ts';
import { openRepository, type RepoManagerContext, required } from '../context.ts';

export type ProposeChange = Extract<Effect, { type: 'ProposeChange' }>;

/** Moves the job's branch to its head and makes sure that there is one change request for it. */
export async function proposeChange(context: RepoManagerContext, job: Job, effect: ProposeChange): Promise<EffectOutcome> {
  const { forge, repository, git } = await openRepository(context, job);
  const head = branchOf(job.id);
  await publish(forge, repository, git, head, effect);
  const changeRequest = await forge.openChangeRequest(repository, {
    jobId: job.id,
    title: job.feature.title,
    body: bodyOf(job),
    head,
    headCommit: effect.headCommit,
    base: required(job.base, 'base'),
  });
  return { type: 'ChangeProposed', changeRequest: { ...changeRequest, headCommit: effect.headCommit } };
}

/**
 * The branch is usually where we left it. Where it is not, it is moved only from a commit that our head descends from:
 * what somebody else put there is never lost.
 */
async function publish(forge: Forge, repository: MirroredRepository, git: Git, head: string, effect: ProposeChange): Promise<void> {
  try {
    await forge.publishBranch(repository, head, effect.headCommit, effect.previousHead);
  } catch (error) {
    if (!(error instanceof TerminalError) || error.code !== 'branch_conflict') throw error;
    const found = await forge.fetchHead(repository, head);
    if (found !== null && !(await isAncestor(git, found, effect.headCommit))) throw error;
    await forge.publishBranch(repository, head, effect.headCommit, found);
  }
}

function bodyOf(job: Job): string {
  const { description, requirements, acceptanceCriteria } = job.feature;
  return [
    description,
    ...section('Requirements', requirements),
    ...section('Acceptance criteria', acceptanceCriteria),
    ...(job.summary ? ['## Summary', job.summary] : []),
    `<!-- multi-agent job=${job.id} -->`,
  ].join('\n\n');
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, items.map((item) => `- ${item}`).join('\n')];
}
