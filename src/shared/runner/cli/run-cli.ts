import type { Argv } from '../../process/command-line.ts';
import { type ProcessResult, runProcess } from '../../process/run-process.ts';
import { limitErrorOf, startErrorOf } from '../run-error.ts';
import type { RunnerTask } from '../runner.ts';
import type { CliConfig, CliPlace } from './cli-place.ts';
import { createJsonLines, type JsonEvent } from './json-lines.ts';

/** One start of a CLI. */
export interface CliCall {
  readonly argv: Argv;
  /** Written to stdin, which is then closed: an argument may have no more than 128 KB, and several CLIs wait for ever on an open stdin. */
  readonly prompt: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The longest it may take (milliseconds). */
  readonly wallMs: number;
  /** Told each event as it comes; says whether it is the one that the CLI ends with. */
  readonly onEvent: (event: JsonEvent) => 'final' | 'other';
}

/** How a CLI ended. The exit status alone proves nothing: most CLIs have a way to end with 0 and have done nothing. */
export interface CliEnd {
  readonly process: ProcessResult;
  /** Whether its final event came. */
  readonly isFinal: boolean;
  /** It said that it was done, and did not end: it was ended. */
  readonly lingered: boolean;
}

const SETTLE_MS = 5_000;
const KEPT_OUTPUT_BYTES = 128 * 1024;
const SHOWN_LENGTH = 2_000;

/**
 * Starts a CLI in its place, hands on its events, and settles when no process of it is left. After its final event it is given a while to end
 * by itself: some never do, and leave what they started behind.
 *
 * @throws TerminalError `runner_failed`, RetryableError `runner_unavailable` when it can't be started
 */
export async function runCli(task: RunnerTask, config: CliConfig, place: CliPlace, call: CliCall): Promise<CliEnd> {
  const settled = new AbortController();
  let settling: NodeJS.Timeout | undefined;
  const lines = createJsonLines({
    onEvent: (event) => {
      if (call.onEvent(event) === 'final') settling ??= setTimeout(() => settled.abort(), config.settleMs ?? SETTLE_MS);
    },
    onText: (text) => task.onOutput({ type: 'stdout', text: place.redact(text).slice(0, SHOWN_LENGTH) }),
    onDropped: (count) =>
      task.onOutput({ type: 'note', text: `${String(count)} ${count === 1 ? 'event' : 'events'} longer than 32 MB left out` }),
  });
  try {
    const result = await runProcess({
      argv: call.argv,
      cwd: task.workspace,
      environment: {
        set: { ...place.variables, ...call.variables },
        letThrough: [...task.environment, ...(config.environment ?? [])],
        from: config.from,
      },
      stdin: call.prompt,
      mark: task.mark,
      system: config.system,
      onStdout: lines.push,
      onLine: ({ type, text }) => {
        if (type === 'stderr') task.onOutput({ type, text: place.redact(text) });
      },
      wallMs: call.wallMs,
      stallMs: task.stallMs,
      signal: AbortSignal.any([task.signal, settled.signal]),
      graceMs: config.graceMs,
      maxOutputBytes: KEPT_OUTPUT_BYTES,
      wrap: place.wrap,
    });
    lines.end();
    return { process: result, isFinal: settling !== undefined, lingered: settling !== undefined && result.endedBy !== null };
  } catch (error) {
    throw startErrorOf(error);
  } finally {
    clearTimeout(settling);
  }
}

/** The error of a run that was ended before its final event, or is no longer wanted; undefined for any other. */
export function endedErrorOf(end: CliEnd, task: RunnerTask, details: Readonly<Record<string, unknown>>): Error | undefined {
  if (task.signal.aborted) return limitErrorOf('abort', task, details);
  return end.isFinal || end.process.endedBy === null ? undefined : limitErrorOf(end.process.endedBy, task, details);
}

/** How a CLI ended that did not say how, for people: its exit status and its last words. */
export function endingOf({ process: { exitCode, signal, stderr, stdout } }: CliEnd): string {
  const how = signal === null ? `exit status ${String(exitCode)}` : `ended by ${signal}`;
  const words = (stderr.trim() === '' ? stdout : stderr).trimEnd().split('\n').at(-1)?.trim() ?? '';
  return words === '' ? how : `${how}: ${words}`;
}
