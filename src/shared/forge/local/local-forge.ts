import path from 'node:path';
import type { Repository } from '../../domain/feature.ts';
import type { CommitId, JobId } from '../../domain/ids.ts';
import { branchOf, JobId as JobIdSchema } from '../../domain/ids.ts';
import { MultiAgentError, TerminalError } from '../../errors/errors.ts';
import { createGit, type Git } from '../../git/git.ts';
import { commitsBetween, isAncestor } from '../../git/inspect.ts';
import { openMirror } from '../../git/mirror.ts';
import { keepBase } from '../../git/refs.ts';
import type { Forge, Landing, MergeRequest, MirroredRepository } from '../forge.ts';
import { changeRequestOf, createChangeRequestStore } from './change-requests.ts';
import { baseKey, bring, fetchBranch } from './fetch.ts';
import { findMergeOf } from './find-merge.ts';
import { landMerge } from './land.ts';
import { findLocalRepository, headBranch, readBranches } from './local-repository.ts';
import { createPublications } from './publications.ts';
import { publish, removeBranch } from './publish.ts';

export interface LocalForgeOptions {
  /** `MULTI_AGENT_HOME`: mirrors are in `mirrors/`, change requests in `forge/`. */
  readonly home: string;
}

/** The forge for plain git repositories on this host: no server, nothing is pushed. */
export function createLocalForge({ home }: LocalForgeOptions): Forge {
  const storeOf = (repository: MirroredRepository) => createChangeRequestStore(path.join(home, 'forge', repository.key));
  const localOf = (repository: MirroredRepository) => findLocalRepository(repository.repository.url);
  const publications = createPublications(home);
  const oneAtATime = createQueues();

  return {
    kind: 'local',
    open: (repository) => openRepository(home, repository),
    fetchBase: async (repository, branch, at) => {
      const local = await localOf(repository);
      const name = branch ?? (await headBranch(local));
      return { branch: name, commit: await fetchBranch(local, mirrorOf(repository), name, at) };
    },
    fetchHead: async (repository, head) => {
      const { git } = await localOf(repository);
      const commit = (await readBranches(git, [head])).get(head);
      if (commit === undefined) return null;
      await bring(git, mirrorOf(repository), commit);
      return commit;
    },
    publishBranch: async (repository, head, headCommit, expected) => {
      const jobId = jobOfBranch(head);
      if (jobId !== null) await publications.begin({ jobId, url: repository.repository.url });
      try {
        // One that was paused may come after the merge.
        if (!(await mergedHeadOf(repository, head)))
          await publish(await localOf(repository), mirrorOf(repository), head, headCommit, expected);
      } finally {
        // Looked at again, however it ended: the merge may have come in between, and the branch would stay.
        await removeMergedBranch(repository, head);
        if (jobId !== null) await publications.end(jobId);
      }
    },
    openChangeRequest: async (repository, change) => changeRequestOf(await storeOf(repository).open(change), change.headCommit),
    findChangeRequest: async (repository, head) => {
      const jobId = jobOfBranch(head);
      const record = jobId === null ? null : await storeOf(repository).read(jobId);
      if (record === null) return null;
      if (record.merged !== null) return changeRequestOf(record, undefined);
      const { git } = await localOf(repository);
      return changeRequestOf(record, (await readBranches(git, [head])).get(head));
    },
    postReview: async (repository, number, review) => {
      const store = storeOf(repository);
      await store.addReview(await store.jobOf(number), review);
    },
    land: (repository, merge) => oneAtATime(repository.key, () => land(repository, merge)),
    findMerge: async (repository, base, headCommit, since) => findMergeOf((await localOf(repository)).git, base, headCommit, since),
    listCommits: (repository, base, head) => commitsBetween(mirrorOf(repository), base, head),
    removeMergedBranch,
    settleBegun: async () => {
      for (const { publication, forget } of await publications.left()) {
        const repository = await openRepository(home, { kind: 'local', url: publication.url }).catch(unlessGone);
        if (repository) await removeMergedBranch(repository, branchOf(publication.jobId));
        await forget();
      }
    },
  };

  async function mergedHeadOf(repository: MirroredRepository, head: string): Promise<CommitId | undefined> {
    const jobId = jobOfBranch(head);
    const record = jobId === null ? null : await storeOf(repository).read(jobId);
    return record?.merged?.headCommit;
  }

  async function removeMergedBranch(repository: MirroredRepository, head: string): Promise<void> {
    const mergedHead = await mergedHeadOf(repository, head);
    if (mergedHead === undefined) return;
    const local = await localOf(repository);
    const now = (await readBranches(local.git, [head])).get(head);
    // An earlier round's, too: whoever was paused may have published any of them.
    if (now !== undefined && (await isAncestor(local.git, now, mergedHead))) await removeBranch(local, head, now);
  }

  async function land(repository: MirroredRepository, merge: MergeRequest): Promise<Landing> {
    const mirror = mirrorOf(repository);
    const landing = await landMerge(await localOf(repository), mirror, merge);
    if (landing.type !== 'landed') return landing;
    const { mergeCommit } = landing;
    await storeOf(repository).markMerged(merge.jobId, { mergeCommit, headCommit: merge.headCommit, at: merge.at });
    // Ours went together with the branch, in one transaction; somebody else's merge has left the branch.
    if (mergeCommit === merge.mergeCommit) await keepBase(mirror, baseKey(merge.base), mergeCommit);
    else await removeBranch(await localOf(repository), merge.head, merge.headCommit);
    return landing;
  }
}

async function openRepository(home: string, repository: Repository): Promise<MirroredRepository> {
  if (repository.kind !== 'local') throw new TerminalError('repository_not_found', `${repository.url} is no path on this host.`);
  const local = await findLocalRepository(repository.url);
  const mirror = path.join(home, 'mirrors', `${local.key}.git`);
  await openMirror(mirror, () => objectFormatOf(local.git, repository.url));
  return { repository, key: local.key, mirror };
}

/** Asked only when the mirror is made, and so the one look at whether git can read the repository at all. */
async function objectFormatOf(git: Git, url: string): Promise<'sha1' | 'sha256'> {
  try {
    const { stdout } = await git.run(['rev-parse', '--show-object-format']);
    return stdout.trim() === 'sha256' ? 'sha256' : 'sha1';
  } catch (error) {
    if (!(error instanceof MultiAgentError) || error.code !== 'git_failed') throw error;
    throw new TerminalError('repository_not_readable', `git can't read the repository ${url}: ${error.message}`, { cause: error });
  }
}

/** What nobody finds any more needs no tidying. */
function unlessGone(error: unknown): null {
  if (error instanceof TerminalError) return null;
  throw error;
}

function mirrorOf(repository: MirroredRepository): Git {
  return createGit({ gitDir: repository.mirror });
}

function jobOfBranch(head: string): JobId | null {
  const id = JobIdSchema.safeParse(head.slice(branchOf('').length));
  return id.success && branchOf(id.data) === head ? id.data : null;
}

/** Runs what concerns the same key one after the other: within one process they would only get in each other's way. */
function createQueues(): <T>(key: string, action: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, action) => {
    const next = (tails.get(key) ?? Promise.resolve()).then(action, action);
    const tail = next
      .catch(() => undefined)
      .finally(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    tails.set(key, tail);
    return next;
  };
}
