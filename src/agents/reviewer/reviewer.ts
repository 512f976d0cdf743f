import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_USAGE } from '../../shared/domain/change.ts';
import { InterruptedError } from '../../shared/errors/errors.ts';
import { diffOf } from '../../shared/git/diff.ts';
import type { Git } from '../../shared/git/git.ts';
import { takeWorkspace } from '../../shared/git/workspace.ts';
import type { ReviewRequest } from '../../shared/messages/task.ts';
import { placeComments } from '../../shared/runner/place-comments.ts';
import { promptOf } from '../../shared/runner/prompt.ts';
import type { RunnerContext } from '../../shared/runner/runner.ts';
import { parseVerdict } from '../../shared/runner/verdict.ts';
import { fillCache } from '../base/cache.ts';
import type { TaskEnd, TaskRun, TaskWorker } from '../base/task-worker.ts';
import { failureOf, type WorkerContext } from '../base/worker-context.ts';

/** Does ReviewRequests: the runner sees diff, files, checks and earlier verdicts, and gives its own on exactly that head. */
export function createReviewer(context: WorkerContext): TaskWorker<ReviewRequest> {
  return {
    role: 'reviewer',
    runner: context.runner.description,
    work: async (run) => {
      const cache = await fillCache(context, run, [run.message.headCommit, run.message.baseCommit]);
      const diff = await diffOf(cache, run.message.baseCommit, run.message.headCommit);
      return withPlace(context, run, cache, (place) => review(context, run, place, diff));
    },
  };
}

/** Where the runner works: a checked-out workspace, or, for one that reads no files, an empty directory. */
interface Place {
  readonly workspace: string;
  readonly scratch: string;
}

async function review(context: WorkerContext, run: TaskRun<ReviewRequest>, place: Place, diff: string): Promise<TaskEnd> {
  const { message } = run;
  const told: RunnerContext = {
    feature: message.feature,
    baseCommit: message.baseCommit,
    headCommit: message.headCommit,
    diff,
    checks: message.checks,
    reviews: message.reviews,
  };
  try {
    const result = await context.runner.run({
      jobId: message.jobId,
      taskId: message.taskId,
      role: 'reviewer',
      round: message.round,
      attempt: run.claim.attempt,
      tryNumber: 1,
      ...place,
      prompt: promptOf({ role: 'reviewer', round: message.round, tryNumber: 1, context: told }),
      context: told,
      environment: message.settings.env,
      mark: run.mark,
      wallMs: message.workflow.timeoutMs,
      stallMs: context.stallMs,
      onOutput: run.log,
      signal: run.signal,
    });
    const verdict = placeComments(parseVerdict(result.verdict), diff);
    return { type: 'reviewed', review: { round: message.round, headCommit: message.headCommit, ...verdict }, usage: result.usage };
  } catch (error) {
    if (error instanceof InterruptedError) return { type: 'interrupted' };
    return { type: 'failed', error: failureOf(error), usage: NO_USAGE };
  }
}

async function withPlace<T>(
  context: WorkerContext,
  run: TaskRun<ReviewRequest>,
  cache: Git,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  if (!context.runner.needsWorkspace('reviewer')) return withDirectory(work);
  const { message, claim } = run;
  const workspace = await takeWorkspace({
    home: context.home,
    repoKey: message.repositoryKey,
    cacheGitDir: cache.location.gitDir,
    taskId: message.taskId,
    attempt: claim.attempt,
    owner: { agentId: context.agentId, incarnation: context.incarnation, pid: process.pid },
    commit: message.headCommit,
  });
  let normal = false;
  try {
    const result = await work({ workspace: workspace.tree, scratch: workspace.scratch });
    normal = true;
    return result;
  } finally {
    await workspace.release(normal ? 'normal' : 'abandoned');
  }
}

async function withDirectory<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'multi-agent-review-'));
  try {
    return await work({ workspace: scratch, scratch });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
