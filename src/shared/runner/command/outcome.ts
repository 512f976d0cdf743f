import { RetryableError, TerminalError } from '../../errors/errors.ts';
import type { ProcessResult } from '../../process/run-process.ts';
import { limitErrorOf } from '../run-error.ts';
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
  if (result.endedBy !== null) return limitErrorOf(result.endedBy, limits, details.details);
  if (result.exitCode === 0) return undefined;
  if (result.exitCode === EX_TEMPFAIL) {
    return new RetryableError('runner_unavailable', `the runner is unavailable just now (exit status 75)${lastWords(result)}`, details);
  }
  const how = result.signal === null ? `exit status ${String(result.exitCode)}` : `ended by ${result.signal}`;
  return new TerminalError('runner_failed', `the runner failed (${how})${lastWords(result)}`, details);
}

function lastWords(result: ProcessResult): string {
  const text = result.stderr.trim() === '' ? result.stdout : result.stderr;
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : `: ${line.slice(0, SHOWN_LENGTH)}`;
}
