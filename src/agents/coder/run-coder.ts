import type { CheckResult } from '../../shared/domain/change.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import { promptOf } from '../../shared/runner/prompt.ts';
import type { RunnerContext, RunnerResult } from '../../shared/runner/runner.ts';
import type { TaskRun } from '../base/task-worker.ts';
import type { WorkerContext } from '../base/worker-context.ts';
import type { Desk } from './desk.ts';

/** Has the runner work in the workspace, with everything it should know. */
export async function runCoder(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  desk: Desk,
  { tryNumber, checks }: { tryNumber: number; checks: readonly CheckResult[] },
): Promise<RunnerResult> {
  const { message } = run;
  const told: RunnerContext = {
    feature: message.feature,
    baseCommit: message.baseCommit,
    headCommit: message.startCommit,
    reviews: message.reviews,
    ...(checks.length > 0 ? { checks } : {}),
    ...(desk.conflicts.length > 0 ? { conflicts: desk.conflicts } : {}),
  };
  return context.runner.run({
    jobId: message.jobId,
    taskId: message.taskId,
    role: 'coder',
    round: message.round,
    attempt: run.claim.attempt,
    tryNumber,
    workspace: desk.workspace.tree,
    scratch: desk.workspace.scratch,
    prompt: promptOf({ role: 'coder', round: message.round, tryNumber, context: told }),
    context: told,
    environment: message.settings.env,
    mark: run.mark,
    wallMs: message.workflow.timeoutMs,
    stallMs: context.stallMs,
    onOutput: run.log,
    signal: run.signal,
  });
}
