import type { Workspace } from '../../shared/git/workspace.ts';
import { promptOf } from '../../shared/runner/prompt.ts';
import { closeSessions, openSessions } from '../../shared/runner/sessions.ts';
import { type RunnerContext, type RunnerResult, usageOfFailure } from '../../shared/runner/runner.ts';
import type { TaskRun, TaskWorker } from './task-worker.ts';
import type { WorkerContext } from './worker-context.ts';

export interface RunnerPlace {
  /** Where the runner works. */
  readonly workspace: string;
  /** For its own files. */
  readonly scratch: string;
  /** What its git reads beside the workspace. */
  readonly readable: readonly string[];
}

export interface RunnerCall {
  readonly role: TaskWorker['role'];
  /** Which try within the round this is, from 1. */
  readonly tryNumber: number;
  readonly place: RunnerPlace;
  /** What it is told. */
  readonly told: RunnerContext;
}

/** A runner's place in a workspace. */
export function placeIn({ tree, scratch, objects }: Workspace): RunnerPlace {
  return { workspace: tree, scratch, readable: [objects] };
}

/** Has the runner do a task: with the limits of the job, the variables its repository lets through, its words in the log, and its cost counted. */
export async function runRunner(context: WorkerContext, run: TaskRun, { role, tryNumber, place, told }: RunnerCall): Promise<RunnerResult> {
  const { message } = run;
  const sessions = await openSessions(context.home, message.jobId, role);
  const result = await context.runner
    .run({
      jobId: message.jobId,
      taskId: message.taskId,
      role,
      round: message.round,
      attempt: run.claim.attempt,
      tryNumber,
      workspace: place.workspace,
      scratch: place.scratch,
      readable: place.readable,
      sessions,
      prompt: promptOf({ role, round: message.round, tryNumber, context: told }),
      context: told,
      environment: message.settings.env,
      mark: run.mark,
      wallMs: message.workflow.timeoutMs,
      stallMs: context.stallMs,
      onOutput: (output) => {
        run.log({ ...output, text: context.redact(output.text) });
      },
      signal: run.signal,
    })
    .catch((error: unknown) => {
      run.spend(usageOfFailure(error));
      throw withoutSecrets(error, context.redact);
    })
    .finally(() => closeSessions(sessions));
  run.spend(result.usage);
  return {
    ...result,
    summary: context.redact(result.summary),
    ...(result.verdict === undefined ? {} : { verdict: cleaned(result.verdict, context.redact) }),
  };
}

/** The same error: its class and code decide what becomes of the task. */
function withoutSecrets(error: unknown, redact: (text: string) => string): unknown {
  if (error instanceof Error) error.message = redact(error.message);
  return error;
}

/** All texts in a value that came as JSON. */
function cleaned(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cleaned(item, redact)]));
}
