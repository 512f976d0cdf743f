import type { decide } from '../../shared/domain/decide.ts';
import { branchOf } from '../../shared/domain/ids.ts';
import { isTerminal, type Job } from '../../shared/domain/job.ts';
import type { Repository } from '../../shared/domain/feature.ts';
import { TerminalError } from '../../shared/errors/errors.ts';
import type { Forge, MirroredRepository } from '../../shared/forge/forge.ts';
import type { Clock } from '../../shared/lifecycle/clock.ts';
import type { Claim } from '../../shared/messages/agent.ts';
import type { Bucket } from '../../shared/messaging/bucket.ts';
import type { BundleStore } from '../../shared/messaging/bundle-store.ts';
import type { AgentLog } from '../base/agent.ts';
import type { Bus } from './bus.ts';
import type { CheckCommit } from './check-commit.ts';
import type { Commits } from './commits.ts';
import type { GreenTrees } from './green-trees.ts';
import type { JobStore } from './job-store.ts';
import type { KnownCommits } from './known-commits.ts';
import type { MergeLock } from './merge-lock.ts';
import type { OtherHomes } from './other-homes.ts';
import type { PinnedJob } from './pinned-jobs.ts';

/** What the repo-manager works with: whatever reads or changes the world is behind one of these. Wired in one place. */
export interface RepoManagerContext {
  /** The state machine. */
  readonly decide: typeof decide;
  readonly bus: Bus;
  readonly store: JobStore;
  readonly claims: Bucket<Claim>;
  readonly bundles: BundleStore;
  readonly forges: Readonly<Partial<Record<Repository['kind'], Forge>>>;
  /** The commits in the mirror that lies at this path. */
  readonly openCommits: (mirror: string) => Commits;
  /** The jobs of which a mirror of this home keeps commits. */
  readonly pinnedJobs: () => Promise<readonly PinnedJob[]>;
  readonly checkCommit: CheckCommit;
  readonly mergeLock: MergeLock;
  readonly known: KnownCommits;
  readonly green: GreenTrees;
  /** Lets only so many effects be carried out at once. */
  readonly slots: <T>(work: () => Promise<T>) => Promise<T>;
  /** The repo-managers' common secret, from which bundle keys are derived. */
  readonly secret: Buffer;
  readonly home: string;
  /** Names the home this repo-manager works in: paths mean what they mean there. */
  readonly host: string;
  /** Default: there are none. */
  readonly otherHomes?: OtherHomes;
  /** Aborted when the daemon stops and can't wait any longer, or somebody wants the job in hand stopped: what runs is ended. */
  readonly stopping: AbortSignal;
  readonly agentId: string;
  readonly incarnation: string;
  /** A moment to be written down. */
  readonly now: () => number;
  readonly clock: Clock;
  readonly log: AgentLog;
}

/** @throws TerminalError `forge_not_available` */
export function forgeOf(context: RepoManagerContext, repository: Repository): Forge {
  const forge = context.forges[repository.kind];
  if (!forge) throw new TerminalError('forge_not_available', `No forge of kind ${repository.kind} is configured.`);
  return forge;
}

export async function openRepository(
  context: RepoManagerContext,
  job: Job,
): Promise<{ forge: Forge; repository: MirroredRepository; commits: Commits }> {
  const forge = forgeOf(context, job.repository);
  const repository = await forge.open(job.repository);
  const commits = context.openCommits(repository.mirror);
  const isLost = job.baseCommit !== undefined && !(await commits.isPinned(job.id));
  // Of a job that has ended nothing is kept: whoever comes to it late was paused.
  if (isLost && (await hasNotEnded(context, job))) await restore(forge, repository, commits, job);
  return { forge, repository, commits };
}

async function hasNotEnded({ store }: RepoManagerContext, { id }: Job): Promise<boolean> {
  const job = (await store.load(id))?.value;
  return job !== undefined && !isTerminal(job.status);
}

/** A mirror that holds nothing for a job with commits was lost, and is made again: what the job needs comes from the repository. */
async function restore(forge: Forge, repository: MirroredRepository, commits: Commits, job: Job): Promise<void> {
  await forge.fetchBase(repository, job.base, job.createdAt);
  await forge.fetchHead(repository, branchOf(job.id));
  const base = required(job.baseCommit, 'baseCommit');
  if (await commits.has(base)) await commits.pin(job.id, 'base', base);
}

/** A field that the state machine guarantees at this point. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TerminalError('internal_error', `The job's record lacks ${name}.`);
  return value;
}
