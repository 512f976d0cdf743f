import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import { branchOf, type CommitId } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { TerminalError } from '../../../shared/errors/errors.ts';
import type { Forge, MirroredRepository } from '../../../shared/forge/forge.ts';
import type { Commits } from '../commits.ts';
import { openRepository, type RepoManagerContext, required } from '../context.ts';

export type ProposeChange = Extract<Effect, { type: 'ProposeChange' }>;

/** Moves the job's branch to its head and makes sure that there is one change request for it. */
export async function proposeChange(context: RepoManagerContext, job: Job, effect: ProposeChange): Promise<EffectOutcome> {
  const { forge, repository, commits } = await openRepository(context, job);
  const head = branchOf(job.id);
  const headCommit = await publish(job, { forge, repository, commits }, head, effect);
  const changeRequest = await forge.openChangeRequest(repository, {
    jobId: job.id,
    title: job.feature.title,
    body: bodyOf(job),
    head,
    headCommit,
    base: required(job.base, 'base'),
  });
  return { type: 'ChangeProposed', changeRequest: { ...changeRequest, headCommit } };
}

interface Place {
  readonly forge: Forge;
  readonly repository: MirroredRepository;
  readonly commits: Commits;
}

/**
 * Gives the head that the branch has then. It is usually where we left it. Where it is not, what somebody else put there is
 * never lost: their commits and ours come together, and are reviewed as one.
 */
async function publish(job: Job, place: Place, head: string, effect: ProposeChange): Promise<CommitId> {
  const { forge, repository } = place;
  try {
    await forge.publishBranch(repository, head, effect.headCommit, effect.previousHead);
    return effect.headCommit;
  } catch (error) {
    if (!(error instanceof TerminalError) || error.code !== 'branch_conflict') throw error;
    const found = await forge.fetchHead(repository, head);
    const joined = found === null ? effect.headCommit : await join(job, place, effect.headCommit, found);
    if (joined === null) throw cannotJoin(head, effect.headCommit, error);
    if (joined !== found) await forge.publishBranch(repository, head, joined, found);
    return joined;
  }
}

/** The one of two commits that has the other, or a merge of both; null where they conflict. The same every time. */
async function join(job: Job, { commits }: Place, ours: CommitId, theirs: CommitId): Promise<CommitId | null> {
  if (await commits.isAncestor(theirs, ours)) return ours;
  if (await commits.isAncestor(ours, theirs)) return keep(commits, job, theirs);
  const merged = await commits.mergeTrees(ours, theirs);
  if (merged.type === 'conflicted') return null;
  const message = `Merge what was put on ${branchOf(job.id)} meanwhile\n\nMulti-Agent-Job: ${job.id}\n`;
  return keep(commits, job, await commits.createMerge({ tree: merged.tree, parents: [ours, theirs], message, at: job.createdAt }));
}

async function keep(commits: Commits, job: Job, commit: CommitId): Promise<CommitId> {
  await commits.pin(job.id, `joined-${commit.slice(0, 12)}`, commit);
  return commit;
}

function cannotJoin(head: string, headCommit: CommitId, cause: TerminalError): TerminalError {
  const wayOn = `It conflicts with the job's work. Check out ${head}, "git merge ${headCommit}", then retry the job; or delete the branch and retry.`;
  return new TerminalError('branch_conflict', `${cause.message} ${wayOn}`, { cause });
}

function bodyOf(job: Job): string {
  const { description, requirements, acceptanceCriteria } = job.feature;
  return [
    description,
    ...section('Requirements', requirements),
    ...section('Acceptance criteria', acceptanceCriteria),
    ...(job.summary ? ['## Summary', job.summary] : []),
    ...checkSection(job),
    `<!-- multi-agent job=${job.id} -->`,
  ].join('\n\n');
}

function checkSection({ checks = [], settings }: Job): string[] {
  const title = settings?.detected === true ? 'Checks (detected)' : 'Checks';
  return section(
    title,
    checks.map(
      ({ command, passed, exitCode }) =>
        `\`${command}\`: ${passed ? 'passed' : `failed${exitCode === null ? '' : `, exit ${String(exitCode)}`}`}`,
    ),
  );
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, items.map((item) => `- ${item}`).join('\n')];
}
