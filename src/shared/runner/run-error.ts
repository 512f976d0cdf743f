import { InterruptedError, messageOf, RetryableError, TerminalError } from '../errors/errors.ts';
import type { EndedBy } from '../process/limits.ts';
import type { RunnerTask } from './runner.ts';

/** The error of a run that was ended at a limit, as the port's contract names it. */
export function limitErrorOf(
  endedBy: EndedBy,
  limits: Pick<RunnerTask, 'wallMs' | 'stallMs'>,
  details: Readonly<Record<string, unknown>>,
): Error {
  switch (endedBy) {
    case 'abort':
      return new InterruptedError('runner_interrupted', 'the runner was ended: its work is no longer wanted', { details });
    case 'wall':
      return new TerminalError('runner_timeout', `the runner was ended: it took longer than ${seconds(limits.wallMs)}`, { details });
    case 'stall':
      return new RetryableError('runner_stalled', `the runner was ended: it said nothing for ${seconds(limits.stallMs)}`, { details });
  }
}

/** A runner that could not be started has failed, but where the machine only lacks something just now. */
export function startErrorOf(cause: unknown): Error {
  const options = { cause };
  if (cause instanceof RetryableError) return new RetryableError('runner_unavailable', cause.message, options);
  return new TerminalError('runner_failed', `the runner could not be run: ${messageOf(cause)}`, options);
}

function seconds(ms: number): string {
  return `${String(ms / 1_000)} s`;
}
