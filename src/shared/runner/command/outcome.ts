import { InterruptedError, messageOf, RetryableError, TerminalError } from '../../errors/errors.ts';
import type { ProcessResult } from '../../process/run-process.ts';
import type { RunnerTask } from '../runner.ts';
import { usageIn } from './last-words.ts';

/** sysexits.h: a temporary failure, the user is invited to try again. */
const EX_TEMPFAIL = 75;
const SHOWN_LENGTH = 300;

/** The error that the end of a run stands for, as the port's contract names it; undefined for a success. */
export function errorOf(result: ProcessResult, limits: Pick<RunnerTask, 'wallMs' | 'stallMs'>): Error | undefined {
  const usage = usageIn(result.stdout);
  const { exitCode, signal, durationMs } = result;
  const details = { details: { exitCode, signal, durationMs, ...(usage ? { usage } : {}) } };
  switch (result.endedBy) {
    case 'abort':
      return new InterruptedError('runner_interrupted', 'the runner was ended: its work is no longer wanted', details);
    case 'wall':
      return new TerminalError('runner_timeout', `the runner was ended: it took longer than ${seconds(limits.wallMs)}`, details);
    case 'stall':
      return new RetryableError('runner_stalled', `the runner was ended: it said nothing for ${seconds(limits.stallMs)}`, details);
    case null:
      break;
  }
  if (result.exitCode === 0) return undefined;
  if (result.exitCode === EX_TEMPFAIL) {
    return new RetryableError('runner_unavailable', `the runner is unavailable just now (exit status 75)${lastWords(result)}`, details);
  }
  const how = result.signal === null ? `exit status ${String(result.exitCode)}` : `ended by ${result.signal}`;
  return new TerminalError('runner_failed', `the runner failed (${how})${lastWords(result)}`, details);
}

/** A runner that could not be started has failed, but where the machine only lacks something just now. */
export function startErrorOf(cause: unknown): Error {
  const options = { cause };
  if (cause instanceof RetryableError) return new RetryableError('runner_unavailable', cause.message, options);
  return new TerminalError('runner_failed', `the runner could not be run: ${messageOf(cause)}`, options);
}

function lastWords(result: ProcessResult): string {
  const text = result.stderr.trim() === '' ? result.stdout : result.stderr;
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : `: ${line.slice(0, SHOWN_LENGTH)}`;
}

function seconds(ms: number): string {
  return `${String(ms / 1_000)} s`;
}
