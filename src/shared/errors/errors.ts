/** What every error of ours carries: a stable `code` for programs, a message for people, and `details` as data. */
export abstract class MultiAgentError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: ErrorDetails = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

export interface ErrorDetails {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Worth trying again: the message goes back to its queue and comes again after `retryAfterMs` (default: the consumer's own backoff). */
export class RetryableError extends MultiAgentError {
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: ErrorDetails & { readonly retryAfterMs?: number } = {}) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Trying again changes nothing: the message goes to the dead letters, the job is told. */
export class TerminalError extends MultiAgentError {}

/** The caller gave something wrong. `faults` names every fault at once (exit code 2). */
export class InvalidInputError extends MultiAgentError {
  readonly faults: readonly string[];

  constructor(code: string, faults: readonly string[], options: ErrorDetails = {}) {
    super(code, faults.join('\n'), { ...options, details: { ...options.details, faults } });
    this.faults = faults;
  }
}

/** NATS or the daemons can't be reached; the message says what to start (exit code 3). */
export class UnreachableError extends MultiAgentError {}

/** The job or record asked for does not exist (exit code 4). */
export class NotFoundError extends MultiAgentError {}

/** Work was ended because it is no longer wanted or the daemon is stopping; not a failure of the task. */
export class InterruptedError extends MultiAgentError {}

/** The message of anything thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
