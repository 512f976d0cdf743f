import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BundleRef } from '../../shared/domain/bundle.ts';
import type { CommitId } from '../../shared/domain/ids.ts';
import { InterruptedError, MultiAgentError, TerminalError } from '../../shared/errors/errors.ts';
import { MissingPrerequisitesError, receiveBundle } from '../../shared/git/bundle.ts';
import type { Git } from '../../shared/git/git.ts';
import { missingObjects } from '../../shared/git/inspect.ts';
import { maintainMirror, openMirror } from '../../shared/git/mirror.ts';
import { keepBase, keptBases } from '../../shared/git/refs.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { BundleAnswer, type TaskMessage } from '../../shared/messages/task.ts';
import { type BundleStore, MAX_BUNDLE_BYTES } from '../../shared/messaging/bundle-store.ts';
import { isUnanswered } from '../../shared/messaging/unanswered.ts';
import type { TaskRun } from './task-worker.ts';

export interface CacheContext {
  readonly nc: NatsConnection;
  readonly bundles: BundleStore;
  /** `MULTI_AGENT_HOME`; the caches in it are shared by the agents of the host. */
  readonly home: string;
}

const NEED_TIMEOUT_MS = 60_000;
const NEED_RETRY_MS = 1_000;
const SMALL_BUNDLE_BYTES = 1024 * 1024;
const PASSING: readonly string[] = ['not_now', 'task_not_current'];
/** One may be replaced while it is fetched. */
const ASK_TIMES = 3;

/**
 * The host's bare cache of a repository, with all the commits of the task in it: from earlier tasks, from the task's bundle,
 * or, where that builds on what is not here, from one that a repo-manager makes for us.
 *
 * @throws InterruptedError when the run's signal aborts while a repo-manager is waited for
 */
export async function fillCache(context: CacheContext, run: TaskRun, commits: readonly CommitId[]): Promise<Git> {
  const { message } = run;
  const git = await openMirror(join(context.home, 'repositories', `${message.repositoryKey}.git`));
  const isFilled = (await takeSmallBundle(context, message, git, commits)) || (await missingObjects(git, commits)).length === 0;
  if (!isFilled) await fetchBundle(context, run, git, commits);
  await keepBase(git, createHash('sha256').update(message.baseBranch).digest('hex').slice(0, 16), message.baseCommit);
  await maintainMirror(git);
  return git;
}

/** The repo-manager sends what it believes us to lack: a small bundle is sooner taken than it is looked up whether it is needed. */
async function takeSmallBundle(context: CacheContext, message: TaskMessage, git: Git, commits: readonly CommitId[]): Promise<boolean> {
  const { bundle } = message;
  if (!bundle || bundle.sizeBytes > SMALL_BUNDLE_BYTES || commits.some((commit) => commit !== bundle.tip)) return false;
  return tryBundle(context, message, git, bundle);
}

async function fetchBundle(context: CacheContext, run: TaskRun, git: Git, commits: readonly CommitId[]): Promise<void> {
  const { bundle } = run.message;
  if (bundle && (await tryBundle(context, run.message, git, bundle)) && (await missingObjects(git, commits)).length === 0) return;
  for (let asked = 0; asked < ASK_TIMES; asked++) {
    const made = await askForBundle(context, run, git);
    // Another agent of the host may have filled the cache meanwhile.
    if (made === null ? (await missingObjects(git, commits)).length === 0 : await tryBundle(context, run.message, git, made)) return;
  }
  throw new TerminalError('bundle_unusable', 'The bundles made for this cache could not be used.');
}

/**
 * Whether the bundle could be used. One that builds on what is not here, that is gone, or was replaced (a dispatch that was
 * sent twice has its bundle stored twice under one name) can be made again.
 */
async function tryBundle(context: CacheContext, message: TaskMessage, git: Git, ref: BundleRef): Promise<boolean> {
  try {
    const bytes = await context.bundles.get(ref, Buffer.from(message.bundleKey, 'base64'));
    await receiveBundle(git, bytes, { maxBytes: MAX_BUNDLE_BYTES, expectedTip: ref.tip });
    return true;
  } catch (error) {
    if (error instanceof MissingPrerequisitesError || isReplaceable(error)) return false;
    throw error;
  }
}

function isReplaceable(error: unknown): boolean {
  return error instanceof MultiAgentError && (error.code === 'bundle_missing' || error.code === 'bundle_refused');
}

/**
 * Waits for a repo-manager as long as the task is ours: that none is up is no failure of the task.
 *
 * @returns null when the cache is said to have everything
 */
async function askForBundle(context: CacheContext, run: TaskRun, git: Git): Promise<BundleRef | null> {
  const { jobId, taskId, dispatch } = run.message;
  const have = [...(await keptBases(git)).values()].slice(-50);
  const need = versioned({ type: 'BundleNeed' as const, jobId, taskId, dispatch, attempt: run.claim.attempt, have });
  for (;;) {
    if (run.signal.aborted) throw new InterruptedError('interrupted', 'The run was ended while it waited for its bundle.');
    try {
      const reply = await context.nc.request(subjects.bundleNeed, JSON.stringify(need), { timeout: NEED_TIMEOUT_MS });
      const answer = BundleAnswer.parse(reply.json());
      if (answer.type === 'BundleMade') return answer.bundle;
      if (answer.code === 'bundle_not_needed') return null;
      // `not_now` passes; with `task_not_current` our claim is about to go, and until it does there is nothing to be done.
      if (!PASSING.includes(answer.code)) throw new TerminalError(answer.code, answer.message);
    } catch (error) {
      if (!isUnanswered(error)) throw error;
    }
    await delay(NEED_RETRY_MS);
  }
}
