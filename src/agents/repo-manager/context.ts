import type { JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { branchOf } from '../../shared/domain/ids.ts';
import { isTerminal, type Job } from '../../shared/domain/job.ts';
import type { Repository } from '../../shared/domain/feature.ts';
import { TerminalError } from '../../shared/errors/errors.ts';
import type { Forge, MirroredRepository } from '../../shared/forge/forge.ts';
import { createGit, type Git } from '../../shared/git/git.ts';
import { commitExists } from '../../shared/git/inspect.ts';
import { listPins, pin } from '../../shared/git/refs.ts';
import type { Claim } from '../../shared/messages/agent.ts';
import type { Bucket } from '../../shared/messaging/bucket.ts';
import type { BundleStore } from '../../shared/messaging/bundle-store.ts';
import type { AgentLog } from '../base/agent.ts';
import type { GreenTrees } from './green-trees.ts';
import type { JobStore } from './job-store.ts';
import type { KnownCommits } from './known-commits.ts';
import type { MergeLock } from './merge-lock.ts';
import type { OtherHomes } from './other-homes.ts';

/** What the repo-manager works with; wired in one place. */
export interface RepoManagerContext {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly store: JobStore;
  readonly claims: Bucket<Claim>;
  readonly bundles: BundleStore;
  readonly forges: Readonly<Partial<Record<Repository['kind'], Forge>>>;
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
  readonly now: () => number;
  readonly log: AgentLog;
  /** Names and values of the daemon's environment that checks may see, as far as a repository's settings let them through. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes secrets out of what setup and checks print. */
  readonly redact: (text: string) => string;
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
): Promise<{ forge: Forge; repository: MirroredRepository; git: Git }> {
  const forge = forgeOf(context, job.repository);
  const repository = await forge.open(job.repository);
  const git = createGit({ gitDir: repository.mirror });
  const isLost = job.baseCommit !== undefined && (await listPins(git, job.id)).length === 0;
  // Of a job that has ended nothing is kept: whoever comes to it late was paused.
  if (isLost && (await hasNotEnded(context, job))) await restore(forge, repository, git, job);
  return { forge, repository, git };
}

async function hasNotEnded({ store }: RepoManagerContext, { id }: Job): Promise<boolean> {
  const job = (await store.load(id))?.value;
  return job !== undefined && !isTerminal(job.status);
}

/** A mirror that holds nothing for a job with commits was lost, and is made again: what the job needs comes from the repository. */
async function restore(forge: Forge, repository: MirroredRepository, git: Git, job: Job): Promise<void> {
  await forge.fetchBase(repository, job.base, job.createdAt);
  await forge.fetchHead(repository, branchOf(job.id));
  const base = required(job.baseCommit, 'baseCommit');
  if (await commitExists(git, base)) await pin(git, job.id, 'base', base);
}

/** A field that the state machine guarantees at this point. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TerminalError('internal_error', `The job's record lacks ${name}.`);
  return value;
}
