import type { EffectOutcome } from '../../../shared/domain/effect.ts';
import type { RepositorySettings } from '../../../shared/domain/feature.ts';
import { branchOf } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { RetryableError, TerminalError } from '../../../shared/errors/errors.ts';
import type { Base, Forge, MirroredRepository } from '../../../shared/forge/forge.ts';
import type { Commits } from '../commits.ts';
import { openRepository, type RepoManagerContext } from '../context.ts';
import { readSettings } from '../repository-settings.ts';

/** How long a job is left for the repo-manager of another home (milliseconds). */
const OTHER_HOME_RETRY_MS = 1_000;

/**
 * Finds the repository, its base branch with the newest commit, and the settings on it. A branch of the job that is there
 * already (its record was lost, and it was submitted again) is gone on from: nothing is paid for twice.
 *
 * @throws RetryableError `other_host` for a path that is not here but may be where another repo-manager is
 */
export async function prepareRepository(context: RepoManagerContext, job: Job): Promise<EffectOutcome> {
  const { forge, repository, commits } = await openRepository(context, job).catch((error: unknown) => leaveToOthers(context, job, error));
  const [{ base, settings }, found] = await Promise.all([
    readBase(forge, repository, commits, job),
    forge.fetchHead(repository, branchOf(job.id)),
  ]);
  const head = found === null || (await commits.isAncestor(found, base.commit)) ? {} : { headCommit: found };
  await commits.pin(job.id, 'base', base.commit);
  if (head.headCommit !== undefined) await commits.pin(job.id, 'found', head.headCommit);
  return { type: 'RepositoryPrepared', host: context.host, base: base.branch, baseCommit: base.commit, ...head, settings };
}

async function readBase(
  forge: Forge,
  repository: MirroredRepository,
  commits: Commits,
  job: Job,
): Promise<{ base: Base; settings: RepositorySettings }> {
  const base = await forge.fetchBase(repository, job.requestedBase, job.createdAt);
  return { base, settings: await readSettings(commits, base.commit) };
}

async function leaveToOthers(context: RepoManagerContext, job: Job, error: unknown): Promise<never> {
  const isNotHere = error instanceof TerminalError && error.code === 'repository_not_found';
  if (!isNotHere || !(await context.otherHomes?.mayTake(job.id))) throw error;
  throw new RetryableError('other_host', `${error.message} Another repo-manager may have it.`, { retryAfterMs: OTHER_HOME_RETRY_MS });
}
