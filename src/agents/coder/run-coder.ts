import type { CheckResult } from '../../shared/domain/change.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import type { RunnerContext, RunnerResult } from '../../shared/runner/runner.ts';
import { placeIn, runRunner } from '../base/run-runner.ts';
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
  return runRunner(context, run, {
    role: 'coder',
    tryNumber,
    place: placeIn(desk.workspace),
    told,
  });
}
