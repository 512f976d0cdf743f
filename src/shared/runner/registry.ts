import { InvalidInputError } from '../errors/errors.ts';
import type { Confinement } from '../gateway/confine.ts';
import { createClaudeRunner } from './claude/claude-runner.ts';
import { createCommandRunner } from './command/command-runner.ts';
import { createReplayRunner } from './replay/replay-runner.ts';
import type { Runner } from './runner.ts';

/** Which runner an agent uses, and with what. Each kind takes what is its own and ignores the rest. */
export interface RunnerConfig {
  /** One of `RUNNER_KINDS`; anything else is refused naming them. */
  readonly kind: string;
  /** `command`: the command line, or its words. */
  readonly command?: string | readonly string[] | undefined;
  /** Variables of the daemon's environment that the operator lets through, see `CommandRunnerConfig`. */
  readonly environment?: readonly string[] | undefined;
  /** Where values of names that are let through come from (default: the environment of this process). */
  readonly from?: Readonly<Record<string, string | undefined>> | undefined;
  /** Names the installation, see `ProcessOptions.system`. */
  readonly system?: string | undefined;
  /** Milliseconds between SIGTERM and SIGKILL (default 2,000). */
  readonly graceMs?: number | undefined;
  /** Where what it starts is run, and what that reaches. */
  readonly confinement: Confinement;
  /** The coding CLIs: the executable (default: the CLI's own name, on PATH). */
  readonly program?: string | undefined;
  /** The coding CLIs: the model, where the task names none (default: the CLI's own). */
  readonly model?: string | undefined;
  /** `replay`: path of the recording. */
  readonly recording?: string | undefined;
}

const RUNNERS: Readonly<Record<string, (config: RunnerConfig) => Runner>> = {
  command: (config) => createCommandRunner({ ...config, command: given(config.command, 'the runner "command" needs a command') }),
  claude: createClaudeRunner,
  replay: (config) => createReplayRunner({ recording: given(config.recording, 'the runner "replay" needs the path of a recording') }),
};

export const RUNNER_KINDS: readonly string[] = Object.keys(RUNNERS);

/**
 * Makes the runner of the kind asked for.
 *
 * Throws `InvalidInputError`: `unknown_runner`, `runner_not_configured`, and what the kind's own factory throws.
 */
export function createRunner(config: RunnerConfig): Runner {
  const create = Object.hasOwn(RUNNERS, config.kind) ? RUNNERS[config.kind] : undefined;
  if (create === undefined) {
    throw new InvalidInputError('unknown_runner', [`there is no runner "${config.kind}"; known: ${RUNNER_KINDS.join(', ')}`]);
  }
  return create(config);
}

function given<T extends string | readonly string[]>(value: T | undefined, fault: string): T {
  if (value === undefined || value.length === 0) throw new InvalidInputError('runner_not_configured', [fault]);
  return value;
}
