import type { ChangeRequest } from '../../../src/shared/domain/change.ts';
import { RetryableError, TerminalError } from '../../../src/shared/errors/errors.ts';
import type { Forge, Landing, MergeRequest, ProposedChange } from '../../../src/shared/forge/forge.ts';
import type { AllCommits, Mirror } from './code.ts';
import type { Incarnation } from './process.ts';

export interface HostedChangeRequest {
  readonly number: number;
  readonly jobId: string;
  readonly head: string;
  readonly base: string;
  mergeCommit: string | undefined;
  /** `<round> <head> <decision>`, one for each review that was posted. */
  readonly reviews: string[];
}

/** The one repository that there is, as it lies at the forge. */
export interface HostedRepository {
  /** The newest commit of `main`. */
  base: string;
  readonly branches: Map<string, string>;
  readonly changeRequests: HostedChangeRequest[];
  /** What each process is about to publish, and has not looked at since. */
  readonly publishing: Map<string, Set<string>>;
  /** Somebody has `main` checked out, with changes of their own. */
  isDirty: boolean;
  /** Until when the forge does not answer anybody (milliseconds of the timeline). */
  downUntil: number;
}

export const MAIN = 'main';
export const REPOSITORY = { kind: 'local', url: '/srv/app' } as const;

export interface ForgeWorld {
  readonly hosted: HostedRepository;
  readonly commits: AllCommits;
  readonly mirror: Mirror;
  readonly onLanded: (merge: MergeRequest) => void;
}

/** The forge as one repo-manager sees it. Where the real one takes several steps that a crash may come between, so does this one. */
export function forgeOf(self: Incarnation, world: ForgeWorld): Forge {
  const { hosted, commits, mirror } = world;
  const ask = <T>(what: string, effect: () => T): Promise<T> =>
    self.io('forge', `forge ${what}`, () => {
      if (self.clock.monotonicMs() < hosted.downUntil) throw new RetryableError('forge_down', 'The forge is down.');
      return effect();
    });
  const requestOf = (head: string): HostedChangeRequest | undefined => hosted.changeRequests.find((request) => request.head === head);
  const begun = hosted.publishing.get(self.process) ?? new Set<string>();
  hosted.publishing.set(self.process, begun);
  const isMerged = (head: string): boolean => requestOf(head)?.mergeCommit !== undefined;
  const removeMerged = (head: string): void => {
    const mergeCommit = requestOf(head)?.mergeCommit;
    const now = hosted.branches.get(head);
    if (mergeCommit !== undefined && now !== undefined && commits.of(mergeCommit).history.has(now)) hosted.branches.delete(head);
  };
  const removeBranch = (head: string, headCommit: string): void => {
    if (hosted.branches.get(head) === headCommit) hosted.branches.delete(head);
  };
  return {
    kind: 'local',
    open: (repository) => ask('open', () => ({ repository, key: 'app', mirror: '/home/mirrors/app.git' })),
    fetchBase: (_repository, branch) =>
      ask('fetchBase', () => {
        mirror.bring(hosted.base);
        return { branch: branch ?? MAIN, commit: hosted.base };
      }),
    fetchHead: (_repository, head) =>
      ask('fetchHead', () => {
        const commit = hosted.branches.get(head) ?? null;
        if (commit !== null) mirror.bring(commit);
        return commit;
      }),
    publishBranch: async (_repository, head, headCommit, expected) => {
      await ask('publishBranch begin', () => begun.add(head));
      try {
        if (await ask('publishBranch look', () => isMerged(head))) return;
        await ask('publishBranch', () => {
          const now = hosted.branches.get(head) ?? null;
          if (now === headCommit) return;
          if (now !== expected) throw new TerminalError('branch_conflict', `${head} is at ${String(now)}, not at ${String(expected)}.`);
          hosted.branches.set(head, headCommit);
        });
      } finally {
        await ask('publishBranch end', () => {
          removeMerged(head);
          begun.delete(head);
        });
      }
    },
    removeMergedBranch: (_repository, head) =>
      ask('removeMergedBranch', () => {
        removeMerged(head);
      }),
    settleBegun: async () => {
      for (const head of [...begun]) {
        await ask('settle', () => {
          removeMerged(head);
          begun.delete(head);
        });
      }
    },
    openChangeRequest: (_repository, change) =>
      ask('openChangeRequest', () => asChangeRequest(requestOf(change.head) ?? openedRequest(hosted, change), change.headCommit)),
    findChangeRequest: (_repository, head) =>
      ask('findChangeRequest', () => {
        const request = requestOf(head);
        return request ? asChangeRequest(request, hosted.branches.get(head) ?? '') : null;
      }),
    postReview: (_repository, number, { round, headCommit, decision }) =>
      ask('postReview', () => {
        const review = `${String(round)} ${headCommit} ${decision}`;
        const request = hosted.changeRequests.find((one) => one.number === number);
        if (request?.reviews.includes(review) === false) request.reviews.push(review);
      }),
    land: async (_repository, merge) => {
      const landing = await ask('land', () => land(world, merge));
      if (landing.type !== 'landed') return landing;
      await ask('land record', () => {
        const request = requestOf(merge.head);
        if (request) request.mergeCommit ??= landing.mergeCommit;
        removeBranch(merge.head, merge.headCommit);
      });
      return landing;
    },
    findMerge: (_repository, _base, headCommit, since) => ask('findMerge', () => findMerge(world, headCommit, since)),
    listCommits: (_repository, base, head) =>
      ask('listCommits', () =>
        [...commits.of(head).history].filter((id) => !commits.of(base).history.has(id)).map((id) => ({ id, message: 'work' })),
      ),
  };
}

export function openedRequest(hosted: HostedRepository, { jobId, head, base }: ProposedChange): HostedChangeRequest {
  const request = { number: hosted.changeRequests.length + 1, jobId, head, base, mergeCommit: undefined, reviews: [] };
  hosted.changeRequests.push(request);
  return request;
}

function land(world: ForgeWorld, merge: MergeRequest): Landing {
  const { hosted } = world;
  if (hosted.base !== merge.baseCommit) {
    const landed = findMerge(world, merge.headCommit, merge.baseCommit);
    return landed === null ? { type: 'base_moved' } : { type: 'landed', mergeCommit: landed };
  }
  const head = hosted.branches.get(merge.head);
  if (head !== undefined && head !== merge.headCommit) return { type: 'head_moved', headCommit: head };
  if (hosted.isDirty) return { type: 'dirty_tree', location: REPOSITORY.url, paths: ['a.txt'] };
  hosted.base = merge.mergeCommit;
  if (head !== undefined) hosted.branches.delete(merge.head);
  world.onLanded(merge);
  return { type: 'landed', mergeCommit: merge.mergeCommit };
}

/** The commits of `main`, newest first. */
export function firstParents({ hosted, commits }: Pick<ForgeWorld, 'hosted' | 'commits'>): string[] {
  const line: string[] = [];
  for (let at: string | undefined = hosted.base; at !== undefined; at = commits.of(at).parents[0]) line.push(at);
  return line;
}

function findMerge(world: ForgeWorld, headCommit: string, since: string): string | null {
  const known = world.commits.of(since).history;
  return firstParents(world).find((id) => !known.has(id) && world.commits.of(id).parents[1] === headCommit) ?? null;
}

function asChangeRequest({ number, head, base, mergeCommit }: HostedChangeRequest, headCommit: string): ChangeRequest {
  const merged = mergeCommit !== undefined;
  return { number, head, headCommit, base, state: merged ? 'merged' : 'open', merged, ...(merged ? { mergeCommit } : {}) };
}
