import { InterruptedError, type MultiAgentError, RetryableError, TerminalError } from '../errors/errors.ts';
import { hostFault } from './host-fault.ts';

/** What is known of a git process that did not end well. */
export interface GitEnding {
  /** The git command and its arguments, without our own settings. */
  readonly args: readonly string[];
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** `ENOENT`, `EACCES`, ... where the process could not be started at all. */
  readonly startError?: string | undefined;
  readonly interrupted?: boolean | undefined;
  readonly timedOut?: boolean | undefined;
  readonly tooLong?: boolean | undefined;
}

const STDERR_TAIL = 2_000;

/**
 * The error for a git process that failed:
 * - `RetryableError` `repository_locked` (somebody else's lock on a ref or an index is there; that one
 *   can't be made is no lock), `ref_moved` (a compare-and-swap
 *   found another value), `disk_full`, `git_timeout`, or what `hostFault` says of a process that could not be started,
 * - `InterruptedError` `git_interrupted` when the caller's signal was aborted,
 * - `TerminalError` `git_missing`, `git_output_too_long`, `ref_conflict` (a branch's name is the beginning of another's) or `git_failed` for everything else.
 */
export function gitFailure(ending: GitEnding): MultiAgentError {
  const stderr = withoutCredentials(ending.stderr).slice(-STDERR_TAIL).trim();
  const command = `git ${ending.args[0] ?? ''}`;
  const options = { details: { command, exitCode: ending.exitCode ?? null, stderr } };

  if (ending.interrupted === true) return new InterruptedError('git_interrupted', `${command} was interrupted.`, options);
  if (ending.startError === 'ENOENT') return new TerminalError('git_missing', 'The program git was not found on PATH.', options);
  const fault = hostFault({ code: ending.startError });
  if (fault !== undefined) return new RetryableError(fault.code, `${command} did not start: ${String(ending.startError)}.`, options);
  if (ending.startError !== undefined) return new TerminalError('git_failed', `${command} did not start: ${ending.startError}.`, options);
  if (ending.timedOut === true) return new RetryableError('git_timeout', `${command} took too long and was ended.`, options);
  if (ending.tooLong === true) return new TerminalError('git_output_too_long', `${command} printed more than is allowed.`, options);
  if (/No space left on device|Disk quota exceeded/.test(stderr))
    return new RetryableError('disk_full', `${command}: ${lastLine(stderr)}`, options);
  if (stderr.includes('exists; cannot create')) return new TerminalError('ref_conflict', `${command}: ${lastLine(stderr)}`, options);
  if (MOVED.test(stderr)) return new RetryableError('ref_moved', `${command}: ${lastLine(stderr)}`, options);
  if (LOCKED.test(stderr)) return new RetryableError('repository_locked', `${command}: ${lastLine(stderr)}`, options);
  return new TerminalError('git_failed', `${command} failed: ${lastLine(stderr)}`, options);
}

const MOVED =
  /cannot lock ref .*(?:is at [0-9a-f]+ but expected|reference already exists|unable to resolve reference|reference is missing)/;
const LOCKED = /\.lock': File exists|Another git process/;

/** Takes user names and passwords out of every URL in a text. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1');
}

function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^(?:fatal|error):/.test(line)) ?? lines.at(-1);
  return telling ?? 'no message';
}
