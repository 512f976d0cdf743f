import type { CheckResult } from '../../shared/domain/change.ts';
import type { Workspace } from '../../shared/git/workspace.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import { type CommandsOptions, runChecks } from '../../shared/process/commands.ts';
import type { TaskRun } from '../base/task-worker.ts';
import type { WorkerContext } from '../base/worker-context.ts';

/** Runs the repository's checks on what the runner left. */
export async function checkChange(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  workspace: Workspace,
): Promise<CheckResult[]> {
  return runChecks(run.message.settings.checks, commandOptions(context, run, workspace, 'check'));
}

/** How commands of the repository's settings are run: in the workspace, with its scratch as home, and nothing of ours. */
export function commandOptions(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  workspace: Workspace,
  type: 'setup' | 'check',
): CommandsOptions {
  const { settings } = run.message;
  return {
    cwd: workspace.tree,
    environment: { letThrough: settings.env, from: context.environment, set: { HOME: workspace.scratch, TMPDIR: workspace.scratch } },
    timeoutMs: settings.timeoutMs,
    mark: run.mark,
    system: context.home,
    signal: run.signal,
    redact: context.redact,
    onOutput: ({ text }) => {
      run.log({ type, text });
    },
  };
}
