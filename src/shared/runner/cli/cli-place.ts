import type { Environment } from '../../process/environment.ts';
import type { WrapCommand } from '../../process/run-process.ts';
import type { Sandbox } from '../../process/sandbox/sandbox.ts';
import { openRunDirectory } from '../run-directory.ts';
import { startErrorOf } from '../run-error.ts';
import { variablesOfTask } from '../run-variables.ts';
import type { RunnerTask } from '../runner.ts';
import { type OpenedModel, type OpenModel, withoutKey } from './model-access.ts';

/** What every adapter of a coding CLI takes. */
export interface CliConfig {
  /** The CLI's executable: an absolute path, or a name on PATH (default: the CLI's own name). */
  readonly program?: string | undefined;
  /** Where it is run. */
  readonly sandbox: Sandbox;
  /** Opens the way to the model. Without it, the CLI has what `values` and `environment` give it. */
  readonly openModel?: OpenModel | undefined;
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
  readonly model: OpenedModel | undefined;
  /** Takes the model's key out of a text. */
  readonly redact: (text: string) => string;
  /** A folder of the run's own that the CLI can read and write. */
  readonly folder: string;
  /** Removes the folder and closes the way to the model; never throws. */
  close(): Promise<void>;
}

/**
 * Opens the sandbox and the way to the model for a task.
 *
 * @param own folders beside the workspace that the CLI may write
 * @param prepare writes files that the CLI reads into the run's folder, before that is given to whoever the CLI runs as
 * @throws TerminalError `runner_failed`, RetryableError `runner_unavailable`, or what opening the model throws
 */
export async function openCliPlace(
  task: RunnerTask,
  config: CliConfig & { readonly program: string },
  own: readonly string[],
  prepare: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<CliPlace> {
  const directory = await openRunDirectory(task);
  let model: OpenedModel | undefined;
  const close = async (): Promise<void> => {
    await directory.remove();
    await model?.close().catch(() => undefined);
  };
  try {
    await prepare(directory.root);
    model = await config.openModel?.(task);
    const inside = await config.sandbox
      .enter({
        writable: [task.workspace, directory.root, ...own, ...(model?.writable ?? [])],
        readable: [...task.readable, ...(model?.readable ?? [])],
        operatorWords: [config.program],
      })
      .catch((error: unknown) => {
        throw startErrorOf(error);
      });
    return {
      wrap: wrapIn(inside.wrap, model),
      variables: { ...config.values, ...variablesOfTask(task, directory, inside) },
      model,
      redact: withoutKey(model?.key),
      folder: directory.root,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The way to the model is opened inside the sandbox: outside of it the CLI is not. */
function wrapIn(sandbox: WrapCommand, model: OpenedModel | undefined): WrapCommand {
  return (command) => sandbox(model === undefined ? command : model.wrap(command));
}
