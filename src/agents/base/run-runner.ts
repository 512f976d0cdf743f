import { promptOf } from '../../shared/runner/prompt.ts';
import type { RunnerContext, RunnerResult } from '../../shared/runner/runner.ts';
import type { TaskRun, TaskWorker } from './task-worker.ts';
import type { WorkerContext } from './worker-context.ts';

export interface RunnerPlace {
  /** Where the runner works. */
  readonly workspace: string;
  /** For its own files. */
  readonly scratch: string;
}

export interface RunnerCall {
  readonly role: TaskWorker['role'];
  /** Which try within the round this is, from 1. */
  readonly tryNumber: number;
  readonly place: RunnerPlace;
  /** What it is told. */
  readonly told: RunnerContext;
}

/** Has the runner do a task: with the limits of the job, the variables its repository lets through, and its words in the log. */
export async function runRunner(context: WorkerContext, run: TaskRun, { role, tryNumber, place, told }: RunnerCall): Promise<RunnerResult> {
  const { message } = run;
  return context.runner.run({
    jobId: message.jobId,
    taskId: message.taskId,
    role,
    round: message.round,
    attempt: run.claim.attempt,
    tryNumber,
    workspace: place.workspace,
    scratch: place.scratch,
    prompt: promptOf({ role, round: message.round, tryNumber, context: told }),
    context: told,
    environment: message.settings.env,
    mark: run.mark,
    wallMs: message.workflow.timeoutMs,
    stallMs: context.stallMs,
    onOutput: run.log,
    signal: run.signal,
  });
}
