import type { Usage } from '../../domain/change.ts';
import { TerminalError } from '../../errors/errors.ts';
import { type CliFailure, errorOfFailure } from '../cli/failure.ts';
import { type CliEnd, endedErrorOf, endingOf } from '../cli/run-cli.ts';
import type { RunnerTask } from '../runner.ts';
import type { ClaudeState } from './claude-events.ts';
import { failureOfResult, isCapped } from './claude-result.ts';

const ADVICE = 'Give coders and reviewers a valid key (ANTHROPIC_API_KEY), then "multi-agent up"';
const SHOWN_LENGTH = 200;

/** The error that an end of Claude Code stands for; undefined where it did what it was to do: status 0, and a result that names no error. */
export function failureOfEnd(end: CliEnd, state: ClaudeState, task: RunnerTask, usage: Usage): Error | undefined {
  const { exitCode, signal, durationMs } = end.process;
  const capped = state.result !== undefined && isCapped(state.result);
  const details = { exitCode, signal, durationMs, usage, ...(capped ? { capped } : {}) };
  const ended = endedErrorOf(end, task, details);
  if (ended !== undefined) return ended;
  const failure = failureOf(end, state);
  return failure && errorOfFailure(failure, { advice: ADVICE, details, nowMs: Date.now() });
}

function failureOf(end: CliEnd, { result, limitedForMs }: ClaudeState): CliFailure | undefined {
  // What a CLI says on stderr that never came to talk to its model is about its command line, and no status of a service.
  if (result === undefined) return { message: `it ended without a result (${endingOf(end)})`, kind: 'failed' };
  const failure = failureOfResult(result);
  if (failure !== undefined) return { ...failure, retryAfterMs: limitedForMs };
  const { exitCode } = end.process;
  return exitCode === 0 || end.lingered
    ? undefined
    : { message: `it said that all went well, and failed (${endingOf(end)})`, kind: 'failed' };
}

export function invalidVerdict(said: string, usage: Usage | undefined): TerminalError {
  const shown = said.length > SHOWN_LENGTH ? `${said.slice(0, SHOWN_LENGTH)}...` : said;
  return new TerminalError('invalid_verdict', `the reviewer gave no verdict, also when asked for it: ${shown}`, {
    details: usage === undefined ? {} : { usage },
  });
}
