import type { BundleRef } from '../../shared/domain/bundle.ts';
import type { CheckResult, Failure } from '../../shared/domain/change.ts';
import { InterruptedError, TerminalError } from '../../shared/errors/errors.ts';
import type { RecordedChange } from '../../shared/git/change.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import { fillCache } from '../base/cache.ts';
import type { TaskEnd, TaskRun, TaskWorker } from '../base/task-worker.ts';
import { describeRunner, failureOf, type WorkerContext } from '../base/worker-context.ts';
import { checkChange } from './check-change.ts';
import { type Desk, openDesk } from './desk.ts';
import { recordWork } from './record-work.ts';
import { runCoder } from './run-coder.ts';
import { storeWork } from './store-work.ts';

/** Tries within a round: the first, and two more that are told what was wrong with the one before. */
const TRIES = 3;

/** Files a result names. The repo-manager reads them all from the commits. */
const FILES_LISTED = 1_000;

/** Does ImplementationRequests: a workspace, a runner in it, and what differs afterwards is the change. */
export function createCoder(context: WorkerContext): TaskWorker<ImplementationRequest> {
  return {
    role: 'coder',
    runner: describeRunner(context),
    work: async (run) => {
      const { message } = run;
      const commits = message.mergeWith === undefined ? [message.startCommit] : [message.startCommit, message.mergeWith];
      const cache = await fillCache(context, run, commits);
      const desk = await openDesk(context, run, cache);
      let normal = false;
      try {
        const end = await implement(context, run, desk);
        normal = true;
        return end;
      } finally {
        await desk.workspace.release(normal ? 'normal' : 'abandoned');
      }
    },
  };
}

/** What the tries so far came to. */
interface Progress {
  readonly checks: CheckResult[];
  readonly failure: Failure;
}

async function implement(context: WorkerContext, run: TaskRun<ImplementationRequest>, desk: Desk): Promise<TaskEnd> {
  let progress: Progress = { checks: run.message.checks ?? [], failure: NO_CHANGE };
  for (let tryNumber = 1; tryNumber <= TRIES; tryNumber++) {
    const end = await tryOnce(context, run, desk, tryNumber, progress);
    if ('type' in end) return end;
    progress = end;
  }
  return failed(context, run, desk, progress);
}

/** One run of the runner, and a look at what came of it: an end, or what the next try has to know. */
async function tryOnce(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  desk: Desk,
  tryNumber: number,
  before: Progress,
): Promise<TaskEnd | Progress> {
  try {
    const result = await runCoder(context, run, desk, { tryNumber, checks: before.checks });
    const change = await recordWork(run, desk, result.summary);
    if (change === null) return await failed(context, run, desk, { ...before, failure: NO_CHANGE });
    const judged = await judge(context, run, desk, tryNumber, change);
    if (judged.failure) return { checks: judged.checks, failure: judged.failure };

    const { commit, filesChanged, runnerCommits } = change;
    const bundle = await storeWork(context, run, desk, commit, 'out');
    const summary = [result.summary, ...runnerCommits.map(({ message }) => message)].filter((part) => part !== '').join('\n\n');
    return {
      type: 'implemented',
      implementation: {
        bundle,
        startCommit: run.message.startCommit,
        headCommit: commit,
        // Its commits' messages are the runner's words as well.
        summary: context.redact(summary).slice(0, 100_000),
        commits: [{ id: commit, message: run.message.feature.title }],
        filesChanged: filesChanged.slice(0, FILES_LISTED),
        checks: judged.checks,
      },
    };
  } catch (error) {
    if (error instanceof InterruptedError) return interrupted(context, run, desk);
    const failure = failureOf(error);
    // A tree we can't take as it is: the runner may mend it.
    if (REFUSED_TREES.includes(failure.code) && tryNumber < TRIES) {
      tell(run, tryNumber, 'tree_refused', failure.message);
      return { ...before, failure, checks: [refusedAsCheck(failure)] };
    }
    return failed(context, run, desk, { ...before, failure });
  }
}

async function judge(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  desk: Desk,
  tryNumber: number,
  change: RecordedChange,
): Promise<{ checks: CheckResult[]; failure?: Failure }> {
  if (change.conflictMarkers.length > 0) {
    const message = `Conflict markers are left in ${change.conflictMarkers.join(', ')}.`;
    tell(run, tryNumber, 'conflict_markers', message);
    return {
      checks: [refusedAsCheck({ code: 'conflict_markers', message, retryable: true })],
      failure: { code: 'conflict_markers', message, retryable: true },
    };
  }
  const checks = await checkChange(context, run, desk.workspace);
  const red = checks.filter(({ passed }) => !passed);
  if (red.length === 0) return { checks };
  const message = `${red.map(({ command }) => command).join(', ')} failed.`;
  tell(run, tryNumber, 'checks_failed', message);
  return {
    checks,
    failure: { code: 'checks_failed', message: `${message} ${String(TRIES)} tries did not get the checks to pass.`, retryable: true },
  };
}

function tell(
  run: TaskRun<ImplementationRequest>,
  tryNumber: number,
  reason: 'checks_failed' | 'conflict_markers' | 'tree_refused',
  message: string,
): void {
  const { taskId, round } = run.message;
  run.log({ type: 'note', text: message });
  run.emit({ type: 'TryFailed', taskId, role: 'coder', round, tryNumber, reason, message });
}

/** The job fails with this; what there is of the work goes along, so that it is kept on the job's branch. */
async function failed(context: WorkerContext, run: TaskRun<ImplementationRequest>, desk: Desk, progress: Progress): Promise<TaskEnd> {
  const { checks, failure } = progress;
  const end = { type: 'failed', error: failure, ...(checks.length > 0 ? { checks } : {}) } as const;
  const commit = await salvage(run, desk);
  if (commit === null) return end;
  const bundle = await storeWork(context, run, desk, commit, 'out');
  return { ...end, work: { bundle, startCommit: run.message.startCommit, headCommit: commit } };
}

/** Ended by the signal: when the daemon stops, the next attempt goes on from here. */
async function interrupted(context: WorkerContext, run: TaskRun<ImplementationRequest>, desk: Desk): Promise<TaskEnd> {
  if (run.signal.reason !== 'stopping') return { type: 'interrupted' };
  const commit = await salvage(run, desk);
  const wip: BundleRef | undefined = commit === null ? undefined : await storeWork(context, run, desk, commit, 'wip');
  return { type: 'interrupted', ...(wip ? { wip } : {}) };
}

/** A commit of what there is; null where that is nothing, or nothing that we may take. */
async function salvage(run: TaskRun<ImplementationRequest>, desk: Desk): Promise<string | null> {
  try {
    const change = await recordWork(run, desk, 'Unfinished.');
    return change?.conflictMarkers.length === 0 ? change.commit : null;
  } catch (error) {
    if (error instanceof TerminalError) return null;
    throw error;
  }
}

const NO_CHANGE: Failure = { code: 'no_change', message: 'The runner ended well but changed nothing.', retryable: true };
const REFUSED_TREES: readonly string[] = ['submodule_refused', 'symlink_refused'];

function refusedAsCheck(failure: Failure): CheckResult {
  return { command: 'multi-agent: is the tree acceptable?', passed: false, exitCode: null, durationMs: 0, output: failure.message };
}
