import { performance } from 'node:perf_hooks';
import { addUsage, NO_USAGE, type Usage } from '../../domain/change.ts';
import type { Argv } from '../../process/command-line.ts';
import type { CliPlace } from '../cli/cli-place.ts';
import { type CliEnd, runCli } from '../cli/run-cli.ts';
import type { RunnerTask } from '../runner.ts';
import { type ClaudeState, createClaudeEvents } from './claude-events.ts';
import { failureOfEnd } from './claude-failure.ts';
import { isUnknownSession, usageOfResult } from './claude-result.ts';
import type { ClaudeRunnerConfig } from './claude-config.ts';
import { warnOfVersion } from './claude-version.ts';

/** What every start of the CLI for one task has in common. */
export interface ClaudeCalls {
  readonly config: ClaudeRunnerConfig;
  readonly task: RunnerTask;
  readonly place: CliPlace;
  /** When the task's time is up, by the monotonic clock (milliseconds). */
  readonly endsAt: number;
  readonly argvFor: (resume: string | undefined) => Argv;
  readonly variables: Readonly<Record<string, string>>;
}

export interface Question {
  readonly prompt: string;
  /** The conversation that it belongs to; undefined: a new one. */
  readonly sessionId?: string | undefined;
  /** What earlier starts for the task have cost. */
  readonly spent?: Usage;
  /** Told of the conversation as soon as it has an id: a run that is ended half-way can be gone on with. */
  readonly onSession?: (state: ClaudeState) => Promise<void>;
}

/** What came of a start that did what it was to do. */
export interface Answer {
  readonly text: string;
  /** As the schema wants it, where one was given; undefined where the model passed over it. */
  readonly structured: unknown;
  /** Together with what was spent before. */
  readonly usage: Usage;
  readonly state: ClaudeState;
}

/** Starts the CLI with a question. Throws what the port says, with all that was spent in `details.usage`. */
export async function askClaude(calls: ClaudeCalls, question: Question): Promise<Answer | 'unknown_session'> {
  const { task, place } = calls;
  const onOutput: RunnerTask['onOutput'] = (output) => task.onOutput({ ...output, text: place.redact(output.text) });
  const events = createClaudeEvents(onOutput, () => Date.now());
  const end = await runCli(task, calls.config, place, {
    argv: calls.argvFor(question.sessionId),
    prompt: question.prompt,
    variables: calls.variables,
    wallMs: Math.max(1, calls.endsAt - performance.now()),
    onEvent: events.take,
  });
  return concluded(calls, question, end, events.state());
}

async function concluded(
  { task, place }: ClaudeCalls,
  question: Question,
  end: CliEnd,
  state: ClaudeState,
): Promise<Answer | 'unknown_session'> {
  const { result } = state;
  warnOfVersion(state.version, task.onOutput);
  if (question.sessionId !== undefined && result !== undefined && isUnknownSession(result)) return 'unknown_session';
  await question.onSession?.(state);
  const usage = addUsage(question.spent ?? NO_USAGE, result === undefined ? NO_USAGE : usageOfResult(result));
  const failure = failureOfEnd(end, state, task, usage);
  if (failure !== undefined) {
    failure.message = place.redact(failure.message);
    throw failure;
  }
  return { text: place.redact(result?.result ?? ''), structured: redacted(result?.structured_output, place), usage, state };
}

function redacted(value: unknown, { redact }: CliPlace): unknown {
  return value === undefined ? undefined : (JSON.parse(redact(JSON.stringify(value))) as unknown);
}
