import type { CheckResult } from '../../shared/domain/change.ts';
import { confine } from '../../shared/gateway/confine.ts';
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
  const { checks } = run.message.settings;
  return checks.length === 0 ? [] : confined(context, run, workspace, 'check', (options) => runChecks(checks, options));
}

/** Has commands of the repository's settings run: in the workspace, confined, with its scratch as home, and nothing of ours. */
export function confined<T>(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  { tree, scratch, objects }: Workspace,
  type: 'setup' | 'check',
  use: (options: CommandsOptions) => Promise<T>,
): Promise<T> {
  const { settings } = run.message;
  return confine(context.confinement, { writable: [tree, scratch], readable: [objects] }, ({ wrap, environment, folders }) =>
    use({
      cwd: tree,
      environment: {
        letThrough: settings.env,
        from: context.environment,
        set: { ...environment, HOME: scratch, TMPDIR: folders?.tmp ?? scratch },
      },
      timeoutMs: settings.timeoutMs,
      mark: run.mark,
      system: context.home,
      signal: run.signal,
      redact: context.redact,
      wrap,
      onOutput: ({ text }) => {
        run.log({ type, text });
      },
    }),
  );
}
