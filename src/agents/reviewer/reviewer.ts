import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InterruptedError } from '../../shared/errors/errors.ts';
import { diffOf } from '../../shared/git/diff.ts';
import type { Git } from '../../shared/git/git.ts';
import type { ReviewRequest } from '../../shared/messages/task.ts';
import { placeComments } from '../../shared/runner/place-comments.ts';
import type { RunnerContext } from '../../shared/runner/runner.ts';
import { parseVerdict } from '../../shared/runner/verdict.ts';
import { fillCache } from '../base/cache.ts';
import { placeIn, type RunnerPlace, runRunner } from '../base/run-runner.ts';
import { takeTaskWorkspace } from '../base/task-workspace.ts';
import type { TaskEnd, TaskRun, TaskWorker } from '../base/task-worker.ts';
import { describeRunner, failureOf, type WorkerContext } from '../base/worker-context.ts';

/** Does ReviewRequests: the runner sees diff, files, checks and earlier verdicts, and gives its own on exactly that head. */
export function createReviewer(context: WorkerContext): TaskWorker<ReviewRequest> {
  return {
    role: 'reviewer',
    runner: describeRunner(context),
    work: async (run) => {
      const cache = await fillCache(context, run, [run.message.headCommit, run.message.baseCommit]);
      const diff = await diffOf(cache, run.message.baseCommit, run.message.headCommit);
      return withPlace(context, run, cache, (place) => review(context, run, place, diff));
    },
  };
}

async function review(context: WorkerContext, run: TaskRun<ReviewRequest>, place: RunnerPlace, diff: string): Promise<TaskEnd> {
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
    const result = await runRunner(context, run, { role: 'reviewer', tryNumber: 1, place, told });
    const verdict = placeComments(parseVerdict(result.verdict), diff);
    return { type: 'reviewed', review: { round: message.round, headCommit: message.headCommit, ...verdict } };
  } catch (error) {
    if (error instanceof InterruptedError) return { type: 'interrupted' };
    return { type: 'failed', error: failureOf(error) };
  }
}

/** Where the runner works: a checked-out workspace, or, for one that reads no files, an empty directory. */
async function withPlace<T>(
  context: WorkerContext,
  run: TaskRun<ReviewRequest>,
  cache: Git,
  work: (place: RunnerPlace) => Promise<T>,
): Promise<T> {
  if (!context.runner.needsWorkspace('reviewer')) return withDirectory(work);
  const workspace = await takeTaskWorkspace(context, run, cache, run.message.headCommit);
  let normal = false;
  try {
    const result = await work(placeIn(workspace));
    normal = true;
    return result;
  } finally {
    await workspace.release(normal ? 'normal' : 'abandoned');
  }
}

async function withDirectory<T>(work: (place: RunnerPlace) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'multi-agent-review-'));
  try {
    return await work({ workspace: scratch, scratch, readable: [] });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
