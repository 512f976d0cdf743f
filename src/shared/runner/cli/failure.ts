import { RetryableError, TerminalError } from '../../errors/errors.ts';
import { retryAfterMsIn } from './retry-after.ts';

/** How a CLI says that it failed. */
export interface CliFailure {
  readonly message: string;
  /** The HTTP status of the model's service, where the CLI names it. */
  readonly status?: number | undefined;
  /** Where the CLI says what it is and the message alone would not tell. */
  readonly kind?: FailureKind | undefined;
  /** When the limit is over, where the CLI says so elsewhere than in the message (milliseconds from now). */
  readonly retryAfterMs?: number | undefined;
}

export type FailureKind = 'context_too_long' | 'failed' | 'limited' | 'not_logged_in' | 'unavailable';

/** What a message means that comes without a status, or with one that says nothing (400). */
const MEANINGS: readonly (readonly [FailureKind, RegExp])[] = [
  [
    'not_logged_in',
    /not logged in|invalid (?:x-)?api[- ]key|failed to authenticate|authentication_error|unauthorized|(?:status|error|http|code)\W{0,3}40[13]\b/i,
  ],
  [
    'context_too_long',
    /(?:prompt|input|request|conversation) is too long|prompt_too_long|context (?:window|length)|context_length_exceeded|maximum context/i,
  ],
  [
    'limited',
    /(?:status|error|http|code|\()\W{0,3}[45]29\b|rate.?limit|usage limit|limit reached|hit your .{0,40}limit|overloaded|quota exceeded|too many requests/i,
  ],
  [
    'unavailable',
    /(?:status|error|http|code)\W{0,3}50[0234]\b|unable to connect|connection (?:error|dropped|refused|reset|closed|failed)|timed? ?out|ECONN\w+|ENOTFOUND|EAI_AGAIN|fetch failed|network error|internal server error|high demand/i,
  ],
];

const SHOWN_LENGTH = 500;

/**
 * The error that a CLI's failure stands for, as the port's contract names it.
 *
 * @param advice what to do about a key that is missing or refused
 */
export function errorOfFailure(
  failure: CliFailure,
  { advice, details, nowMs }: { readonly advice: string; readonly details: Readonly<Record<string, unknown>>; readonly nowMs: number },
): RetryableError | TerminalError {
  const message = failure.message.trim().slice(0, SHOWN_LENGTH);
  const options = { details: { ...details, ...(failure.status === undefined ? {} : { status: failure.status }) } };
  switch (failure.kind ?? kindOf(failure)) {
    case 'not_logged_in':
      return new TerminalError('runner_not_logged_in', `the model's service refuses the runner: ${message}. ${advice}`, options);
    case 'context_too_long':
      return new TerminalError('context_too_long', `the task is too long for the model: ${message}`, options);
    case 'limited':
      return new RetryableError('runner_limited', `the model's service lets the runner do no more just now: ${message}`, {
        ...options,
        ...waitOf(failure, nowMs),
      });
    case 'unavailable':
      return new RetryableError('runner_unavailable', `the model's service is unavailable just now: ${message}`, options);
    case 'failed':
      return new TerminalError('runner_failed', `the runner failed: ${message}`, options);
  }
}

function waitOf(failure: CliFailure, nowMs: number): { readonly retryAfterMs?: number } {
  const retryAfterMs = retryAfterMsIn(failure.message, nowMs) ?? failure.retryAfterMs;
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function kindOf({ status, message }: CliFailure): FailureKind {
  return (
    (status === undefined ? undefined : kindOfStatus(status)) ?? MEANINGS.find(([, pattern]) => pattern.test(message))?.[0] ?? 'failed'
  );
}

/** Undefined where the status alone does not tell. */
function kindOfStatus(status: number): FailureKind | undefined {
  if (status === 401 || status === 403) return 'not_logged_in';
  if (status === 429 || status === 529) return 'limited';
  if (status === 413) return 'context_too_long';
  if (status === 408 || status >= 500) return 'unavailable';
  return status === 400 ? undefined : 'failed';
}
