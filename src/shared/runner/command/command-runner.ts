import { confine, type Confined, type Confinement } from '../../gateway/confine.ts';
import { type Argv, argvOf, displayCommand } from '../../process/command-line.ts';
import { type ProcessResult, runProcess } from '../../process/run-process.ts';
import { openRunDirectory, type RunDirectory } from '../run-directory.ts';
import { startErrorOf } from '../run-error.ts';
import { variablesOfTask } from '../run-variables.ts';
import type { Runner, RunnerResult, RunnerTask } from '../runner.ts';
import { coderResult, reviewerResult } from './last-words.ts';
import { errorOf } from './outcome.ts';

export interface CommandRunnerConfig {
  /** A line that is split into words (quotes are honoured, nothing is expanded), or the words themselves. */
  readonly command: string | readonly string[];
  /**
   * Names of variables of the daemon's environment that the operator lets through, on top of those the repository's
   * settings name. `HOME` among them gives the command the operator's own home.
   */
  readonly environment?: readonly string[] | undefined;
  /** Where values of names that are let through come from (default: the environment of this process). */
  readonly from?: Readonly<Record<string, string | undefined>> | undefined;
  /** Names the installation, see `ProcessOptions.system`. */
  readonly system?: string | undefined;
  /** Between SIGTERM and SIGKILL when a run is ended (milliseconds, default 2,000). */
  readonly graceMs?: number | undefined;
  /** Where it is run, and what it reaches. */
  readonly confinement: Confinement;
}

/**
 * Any executable as a runner: run without a shell in the workspace, the prompt on stdin, the task in `MULTI_AGENT_*`
 * variables and in the JSON file `MULTI_AGENT_CONTEXT`. As coder it edits files and the end of its stdout is the
 * summary; as reviewer its last stdout line is the verdict. Exit 0 is success, 75 (EX_TEMPFAIL) is worth another try,
 * anything else has failed. The JSON of the last line may carry `usage { inputTokens, outputTokens, costUsd }`.
 *
 * It runs in a sandbox, where there is one: there it sees the system's programs, the workspace, its own executable with its package, and every
 * absolute path in the command line. HOME and TMPDIR are empty directories, new for each run: a program finds no credential of the operator
 * there (`~/.ssh`, `~/.npmrc`, `~/.gitconfig`), and what it caches goes with the task. `npx eslint --fix` finds eslint in
 * the workspace's `node_modules` as ever; git gets a name to commit under from its variables, and does not look for a
 * repository above the workspace. A program that needs its login or its configuration from home needs the operator's
 * `HOME` (`environment`); the repository's settings cannot ask for it.
 *
 * Throws `InvalidInputError` `invalid_command` where the command names no program.
 */
export function createCommandRunner(config: CommandRunnerConfig): Runner {
  const argv = argvOf(config.command);
  return {
    kind: 'command',
    description: `command: ${displayCommand(config.command)}`,
    startsPrograms: true,
    needsWorkspace: () => true,
    run: async (task) => {
      const directory = await openRunDirectory(task);
      const place = { writable: [task.workspace, directory.root], readable: task.readable, operatorWords: argv };
      try {
        const result = await confine(config.confinement, place, (confined) => run(argv, config, task, directory, confined));
        return resultOf(task, result);
      } finally {
        await directory.remove();
      }
    },
  };
}

async function run(
  argv: Argv,
  config: CommandRunnerConfig,
  task: RunnerTask,
  directory: RunDirectory,
  confined: Confined,
): Promise<ProcessResult> {
  return runProcess({
    argv,
    cwd: task.workspace,
    environment: {
      set: { ...confined.environment, ...variablesOf(task, directory, confined, config) },
      letThrough: namesOf(task, config),
      from: config.from,
    },
    stdin: task.prompt,
    mark: task.mark,
    system: config.system,
    onLine: task.onOutput,
    wallMs: task.wallMs,
    stallMs: task.stallMs,
    signal: task.signal,
    graceMs: config.graceMs,
    wrap: confined.wrap,
  }).catch((error: unknown) => {
    throw startErrorOf(error);
  });
}

function resultOf(task: RunnerTask, result: ProcessResult): RunnerResult {
  const error = errorOf(result, task);
  if (error !== undefined) throw error;
  return task.role === 'coder' ? coderResult(result.stdout) : reviewerResult(result.stdout);
}

function namesOf(task: RunnerTask, config: CommandRunnerConfig): readonly string[] {
  return [...task.environment, ...(config.environment ?? [])];
}

function variablesOf(
  task: RunnerTask,
  directory: RunDirectory,
  confined: Confined,
  config: CommandRunnerConfig,
): Readonly<Record<string, string>> {
  const { HOME: home, ...others } = variablesOfTask(task, directory, confined);
  return config.environment?.includes('HOME') === true ? others : { HOME: home, ...others };
}
