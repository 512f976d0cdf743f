import type { CheckResult } from '../../../shared/domain/change.ts';
import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import type { RepositorySettings } from '../../../shared/domain/feature.ts';
import { branchOf, type CommitId } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { RetryableError } from '../../../shared/errors/errors.ts';
import type { Base, Forge, MirroredRepository } from '../../../shared/forge/forge.ts';
import type { Commits } from '../commits.ts';
import { openRepository, type RepoManagerContext, required } from '../context.ts';
import { readSettings } from '../repository-settings.ts';

export type MergeChange = Extract<Effect, { type: 'MergeChange' }>;

const STOPPED = { code: 'stopped', message: 'The job was stopped before its change was merged.', retryable: true };
/** How often a base that keeps moving is tried before the effect is left for later. */
const TRIES = 20;

/**
 * Merges the judged head: look up → merge in memory → test the very tree → move the base by compare-and-swap, or nothing.
 * The base moved meanwhile: again from the newest one.
 */
export async function mergeChange(context: RepoManagerContext, job: Job, effect: MergeChange): Promise<EffectOutcome> {
  const { forge, repository, commits } = await openRepository(context, job);
  const base = required(job.base, 'base');
  const tryAll = async (isHeld: () => boolean): Promise<EffectOutcome> => {
    const requireOurs = async (): Promise<void> => {
      await requirePending(context, job, effect);
      if (!isHeld()) throw new RetryableError('merge_lock_lost', `The lock on ${base} was lost; the merge is looked up and tried again.`);
    };
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await requireOurs();
      const outcome = await mergeOnce(context, { job, effect, forge, repository, commits, requireOurs });
      if (outcome) return outcome;
    }
    throw new RetryableError('base_keeps_moving', `${base} moved ${String(TRIES)} times during the merge.`);
  };
  return context.mergeLock.whileHeld(`${repository.key}.${lockToken(base)}`, tryAll, context.stopping);
}

/** Whoever was paused may find the merge done, or no longer wanted: what counts is the record as it is now. */
async function requirePending(context: RepoManagerContext, { id }: Job, { headCommit, at }: MergeChange): Promise<void> {
  const pending = (await context.store.load(id))?.value.pending ?? [];
  if (pending.some(({ effect }) => effect.type === 'MergeChange' && effect.headCommit === headCommit && effect.at === at)) return;
  throw new RetryableError('merge_superseded', 'The job went on while its merge was under way here.');
}

interface Merge {
  readonly job: Job;
  readonly effect: MergeChange;
  readonly forge: Forge;
  readonly repository: MirroredRepository;
  readonly commits: Commits;
  /** Asked before anything is changed. @throws RetryableError where the merge is no longer ours */
  readonly requireOurs: () => Promise<void>;
}

/** null: the base moved, and another look is due. */
async function mergeOnce(context: RepoManagerContext, merge: Merge): Promise<EffectOutcome | null> {
  const { job, effect, forge, repository, commits } = merge;
  const base = await forge.fetchBase(repository, job.base, job.createdAt);
  // An earlier try may have moved the base and died before it could say so.
  const from = required(job.baseCommit, 'baseCommit');
  const before = base.commit === from ? null : await forge.findMerge(repository, base.branch, effect.headCommit, from);
  if (before !== null) return land(merge, { ...base, commit: from }, before, []);
  // Nothing has landed: whoever asked for a stop gets it.
  if (job.stopRequested === true) return { type: 'Refused', error: STOPPED };

  const merged = await commits.mergeTrees(base.commit, effect.headCommit);
  if (merged.type === 'conflicted') {
    const paths = merged.conflicts.map(({ path }) => path);
    return { type: 'MergeConflicted', baseCommit: base.commit, settings: await settingsOf(merge, base), paths };
  }
  const mergeCommit = await commits.createMerge({
    tree: merged.tree,
    parents: [base.commit, effect.headCommit],
    message: messageOf(job),
    at: effect.at,
  });
  const checks = await check(context, merge, base, mergeCommit, merged.tree);
  if (checks.some(({ passed }) => !passed)) {
    return { type: 'MergeCheckFailed', baseCommit: base.commit, settings: await settingsOf(merge, base), checks };
  }
  // The checks may have taken an hour.
  await merge.requireOurs();
  return land(merge, base, mergeCommit, checks);
}

async function check(context: RepoManagerContext, merge: Merge, base: Base, mergeCommit: CommitId, tree: string): Promise<CheckResult[]> {
  const { job, repository } = merge;
  // Green a minute ago, when only the user's own tree stood in the way.
  const known = context.green.of(repository.key, tree, base.commit);
  if (known) return [...known];
  const settings = await settingsOf(merge, base);
  const checks = await context.checkCommit({
    repository,
    commit: mergeCommit,
    settings,
    name: `${job.id}.merge`,
    signal: context.stopping,
  });
  context.green.add(repository.key, tree, base.commit, checks);
  return checks;
}

/** Those on the base itself. A job that began there and was never sent back has them: its record need not be doubted. */
async function settingsOf({ job, commits }: Merge, base: Base): Promise<RepositorySettings> {
  const isFirst = base.commit === job.baseCommit && job.conflictRounds === 0;
  return isFirst && job.settings ? job.settings : readSettings(commits, base.commit);
}

async function land(
  { job, effect, forge, repository, commits }: Merge,
  base: Base,
  mergeCommit: CommitId,
  checks: CheckResult[],
): Promise<EffectOutcome | null> {
  const landing = await forge.land(repository, {
    jobId: job.id,
    number: required(job.changeRequest, 'changeRequest').number,
    base: base.branch,
    baseCommit: base.commit,
    head: branchOf(job.id),
    headCommit: effect.headCommit,
    mergeCommit,
    at: effect.at,
  });
  switch (landing.type) {
    case 'landed':
      return { type: 'Merged', mergeCommit: landing.mergeCommit, baseCommit: base.commit, checks };
    case 'base_moved':
      return null;
    case 'head_moved': {
      // What somebody put on our branch is to be reviewed: the reviewer gets it from the mirror.
      const headCommit = (await forge.fetchHead(repository, branchOf(job.id))) ?? landing.headCommit;
      await commits.pin(job.id, `moved-${headCommit.slice(0, 12)}`, headCommit);
      return { type: 'HeadMoved', headCommit };
    }
    case 'dirty_tree':
      return { type: 'TreeDirty', location: landing.location, paths: landing.paths };
  }
}

function messageOf(job: Job): string {
  const number = job.changeRequest ? ` (#${String(job.changeRequest.number)})` : '';
  return `Merge: ${job.feature.title}${number}\n\n${job.summary ?? ''}\n\nMulti-Agent-Job: ${job.id}\n`.replace(/\n{3,}/g, '\n\n');
}

/** A branch name as a token of a KV key: keys take no `..`, and `@` or `+` not at all. */
function lockToken(branch: string): string {
  return Buffer.from(branch).toString('base64url');
}
