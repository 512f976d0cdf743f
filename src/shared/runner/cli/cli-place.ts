import { type Confinement, openConfined } from '../../gateway/confine.ts';
import type { Environment } from '../../process/environment.ts';
import type { WrapCommand } from '../../process/run-process.ts';
import { openRunDirectory } from '../run-directory.ts';
import { startErrorOf } from '../run-error.ts';
import { variablesOfTask } from '../run-variables.ts';
import type { RunnerTask } from '../runner.ts';

/** What every adapter of a coding CLI takes. */
export interface CliConfig {
  /** The CLI's executable: an absolute path, or a name on PATH (default: the CLI's own name). */
  readonly program?: string | undefined;
  /** Where it is run, and what it reaches: its model, for one. */
  readonly confinement: Confinement;
  /** Names of variables that the operator lets through, see `CommandRunnerConfig`. */
  readonly environment?: readonly string[] | undefined;
  readonly from?: Readonly<Record<string, string | undefined>> | undefined;
  readonly values?: Readonly<Record<string, string>> | undefined;
  /** Names the installation, see `ProcessOptions.system`. */
  readonly system?: string | undefined;
  /** Between SIGTERM and SIGKILL when a run is ended (milliseconds, default 2,000). */
  readonly graceMs?: number | undefined;
  /** How long the CLI may take to end by itself after its final event (milliseconds, default 5,000). */
  readonly settleMs?: number | undefined;
}

/** Where a CLI is run for a task: as often as it takes to get an answer. */
export interface CliPlace {
  readonly wrap: WrapCommand;
  readonly variables: Environment;
  /** Takes what the run was given in the place of a key out of a text: a tool of it may print its environment. */
  readonly redact: (text: string) => string;
  /** A folder of the run's own that the CLI can read and write. */
  readonly folder: string;
  /** Removes the folder and closes the way out; never throws. */
  close(): Promise<void>;
}

/**
 * Opens the sandbox, and the way out of it, for a task.
 *
 * @param own folders beside the workspace that the CLI may write
 * @param prepare writes files that the CLI reads into the run's folder, before that is given to whoever the CLI runs as
 * @throws TerminalError `runner_failed`, RetryableError `runner_unavailable`
 */
export async function openCliPlace(
  task: RunnerTask,
  config: CliConfig & { readonly program: string },
  own: readonly string[],
  prepare: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<CliPlace> {
  const directory = await openRunDirectory(task);
  try {
    await prepare(directory.root);
    const place = { writable: [task.workspace, directory.root, ...own], readable: task.readable, operatorWords: [config.program] };
    const confined = await openConfined(config.confinement, place).catch((error: unknown) => {
      throw startErrorOf(error);
    });
    return {
      wrap: confined.wrap,
      variables: { ...config.values, ...confined.environment, ...variablesOfTask(task, directory, confined) },
      redact: confined.redact,
      folder: directory.root,
      close: async () => {
        await confined.close().catch(() => undefined);
        await directory.remove();
      },
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}
