import type { CheckResult } from '../domain/change.ts';
import type { SettingsCommand } from '../domain/feature.ts';
import { InterruptedError, InvalidInputError, TerminalError } from '../errors/errors.ts';
import { argvOf, displayCommand } from './command-line.ts';
import type { EnvironmentOptions } from './environment.ts';
import { createOutputTail } from './output.ts';
import { type OutputLine, type ProcessResult, runProcess, type WrapCommand } from './run-process.ts';

/** One line of what a command printed, or (`note`) which command is being run. */
export interface CommandOutput {
  readonly type: OutputLine['type'] | 'note';
  readonly text: string;
}

export interface CommandsOptions {
  /** The checked-out tree the commands run in. */
  readonly cwd: string;
  /** What of the environment reaches them; see `buildEnvironment`. `letThrough` takes the settings' `env`. */
  readonly environment?: EnvironmentOptions | undefined;
  /** The longest one command may run (milliseconds). */
  readonly timeoutMs: number;
  /** `<agentId>:<attempt>`, see `ProcessOptions.mark`. */
  readonly mark: string;
  readonly system?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly graceMs?: number | undefined;
  readonly onOutput?: ((output: CommandOutput) => void) | undefined;
  /** Takes secrets out of each line that is printed, before anyone gets it. */
  readonly redact?: ((text: string) => string) | undefined;
  readonly wrap?: WrapCommand | undefined;
}

const OUTPUT_BYTES = 16 * 1024;

/**
 * Runs a repository's checks one after the other, all of them even when one fails, without a shell. A program that is
 * missing is a check that failed.
 *
 * Throws `InterruptedError` `checks_interrupted` when `signal` is aborted, and `RetryableError` where the machine cannot
 * start processes just now.
 */
export async function runChecks(commands: readonly SettingsCommand[], options: CommandsOptions): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const command of commands) results.push(await runCommand(command, options));
  return results;
}

/** Runs a repository's setup commands as `runChecks` does, but stops after the first one that fails. */
export async function runSetup(commands: readonly SettingsCommand[], options: CommandsOptions): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const command of commands) {
    const result = await runCommand(command, options);
    results.push(result);
    if (!result.passed) break;
  }
  return results;
}

async function runCommand(command: SettingsCommand, options: CommandsOptions): Promise<CheckResult> {
  const shown = displayCommand(command);
  const tail = createOutputTail(OUTPUT_BYTES);
  const onLine = (line: CommandOutput): void => {
    const shownLine = options.redact ? { ...line, text: options.redact(line.text) } : line;
    tail.push(Buffer.from(`${shownLine.text}\n`));
    options.onOutput?.(shownLine);
  };
  notify(options, `$ ${shown}`);
  try {
    const result = await runProcess({ ...options, argv: argvOf(command), wallMs: options.timeoutMs, maxOutputBytes: 0, onLine });
    if (result.endedBy === 'abort') throw new InterruptedError('checks_interrupted', `${shown} was ended: it is no longer wanted`);
    const remark = remarkOn(result, options.timeoutMs);
    return {
      command: shown,
      passed: result.exitCode === 0 && result.endedBy === null,
      exitCode: result.endedBy === null ? result.exitCode : null,
      durationMs: result.durationMs,
      output: tail.text() + remark,
    };
  } catch (error) {
    // It could not even be started: a fault of the repository's settings, or of what is installed here.
    if (!(error instanceof TerminalError || error instanceof InvalidInputError)) throw error;
    notify(options, error.message);
    return { command: shown, passed: false, exitCode: null, durationMs: 0, output: error.message };
  }
}

function remarkOn(result: ProcessResult, timeoutMs: number): string {
  if (result.endedBy === 'wall') return `[ended: it took longer than ${String(timeoutMs / 1_000)} s]\n`;
  return result.signal === null ? '' : `[ended by ${result.signal}]\n`;
}

function notify(options: CommandsOptions, text: string): void {
  options.onOutput?.({ type: 'note', text });
}
