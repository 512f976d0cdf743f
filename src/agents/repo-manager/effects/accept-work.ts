import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import { type CommitId, partsOfTaskId } from '../../../shared/domain/ids.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { MultiAgentError } from '../../../shared/errors/errors.ts';
import { bundleKeyOf, bundleName, isBundleOf, MAX_BUNDLE_BYTES } from '../../../shared/messaging/bundle-store.ts';
import type { Commits } from '../commits.ts';
import { openRepository, type RepoManagerContext, required } from '../context.ts';

export type AcceptWork = Extract<Effect, { type: 'AcceptWork' }>;

/**
 * Takes an agent's commits into the mirror: size-capped, checked object by object, descending from what was sent, and
 * pinned. What the agent says about them counts for nothing; files and commits are read from the objects.
 */
export async function acceptWork(context: RepoManagerContext, job: Job, effect: AcceptWork): Promise<EffectOutcome> {
  const { forge, repository, commits } = await openRepository(context, job);
  const sent = job.headCommit ?? required(job.baseCommit, 'baseCommit');
  if (effect.startCommit !== sent) return refused('bundle_refused', `The work starts at ${effect.startCommit}, the task at ${sent}.`);

  // Any name would be read, and then removed: only what is this task's own is.
  if (!isBundleOf(effect.bundle, effect.taskId))
    return refused('bundle_refused', `${effect.bundle.name} is no bundle of ${effect.taskId}.`);

  const { round } = partsOfTaskId(effect.taskId);
  if (!(await wasTaken(commits, job, effect.headCommit))) {
    const lost = await receive(context, job, effect, commits, sent);
    if (lost) return lost;
  } else if (!(await commits.isAncestor(sent, effect.headCommit))) {
    return refused('bundle_refused', `The commit ${effect.headCommit} does not descend from ${sent}.`);
  }
  const unacceptable = await commits.refusedEntry(sent, { to: effect.headCommit, mergedWith: job.mergeWith });
  if (unacceptable) return refused(unacceptable.code, unacceptable.message);
  await commits.pin(job.id, round, effect.headCommit);
  context.known.add(repository.key, required(job.mergeWith ?? job.baseCommit, 'baseCommit'), effect.headCommit);
  const base = job.mergeWith ?? required(job.baseCommit, 'baseCommit');
  const [filesChanged, listed] = await Promise.all([
    commits.filesChanged(base, effect.headCommit),
    forge.listCommits(repository, base, effect.headCommit),
  ]);
  await context.bundles.remove([effect.bundle.name, bundleName(repository.key, effect.taskId, effect.dispatch, 'in')]);
  return { type: 'WorkAccepted', headCommit: effect.headCommit, commits: [...listed], filesChanged };
}

/**
 * Whether this very step took the commit in before, and died. That a commit is there proves nothing else: only a bundle that opens with the key
 * of this dispatch shows that whoever reports it was given the task.
 */
async function wasTaken(commits: Commits, job: Job, commit: CommitId): Promise<boolean> {
  // In this order: a pin is a file, and a commit takes a process.
  return (await commits.isPinned(job.id, commit)) && (await commits.has(commit));
}

async function receive(
  context: RepoManagerContext,
  job: Job,
  effect: AcceptWork,
  commits: Commits,
  descendsFrom: string,
): Promise<EffectOutcome | null> {
  try {
    const bytes = await context.bundles.get(effect.bundle, bundleKeyOf(context.secret, effect.taskId, effect.dispatch));
    await commits.receive(bytes, { maxBytes: MAX_BUNDLE_BYTES, expectedTip: effect.headCommit, descendsFrom });
    return null;
  } catch (error) {
    // Gone for good (its time was over), or not what a coder makes: the task can be done again, the bundle can't be mended.
    if (error instanceof MultiAgentError && error.code.startsWith('bundle_')) return refused(error.code, error.message);
    throw error;
  }
}

function refused(code: string, message: string): EffectOutcome {
  return { type: 'Refused', error: { code, message, retryable: true } };
}
