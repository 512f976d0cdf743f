import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv } from './command-line.ts';
import { buildEnvironment, type EnvironmentOptions } from './environment.ts';
import { type EndedBy, type RunLimits, watchLimits } from './limits.ts';
import { markVariables } from './mark.ts';
import { createLineReader, createOutputTail, type OutputTail } from './output.ts';
import { createProcessTree } from './process-tree.ts';
import { type ProcessCommand, type StartedProcess, startProcess } from './start-process.ts';

/** One line of what a process printed, without its newline. */
export interface OutputLine {
  readonly type: 'stdout' | 'stderr';
  readonly text: string;
}

/** Changes what is started, for instance to start it inside a sandbox. */
export type WrapCommand = (command: ProcessCommand) => ProcessCommand;

export interface ProcessOptions extends RunLimits {
  readonly argv: Argv;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  /** What of the environment reaches the process, on top of the base list; see `buildEnvironment`. */
  readonly environment?: EnvironmentOptions | undefined;
  /** Written to stdin, which is then closed (default: an empty stdin). */
  readonly stdin?: string | undefined;
  /** `<agentId>:<attempt>`: carried by every process of the run as `MULTI_AGENT_RUN`. */
  readonly mark: string;
  /** Names the installation (its home directory), where several share a host; see `Mark.system`. */
  readonly system?: string | undefined;
  /** Called for each line in the order it came (a very long one in pieces of 65,536 characters); what it throws is dropped. */
  readonly onLine?: ((line: OutputLine) => void) | undefined;
  /** Called with the bytes of stdout as they come, for whoever makes its own of them; what it throws is dropped. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Between SIGTERM and SIGKILL (milliseconds, default 2,000). */
  readonly graceMs?: number | undefined;
  /** How much of the output is kept, the end of it, half for each stream (bytes, default 10 MB). */
  readonly maxOutputBytes?: number | undefined;
  readonly wrap?: WrapCommand | undefined;
}

export interface ProcessResult {
  /** Null where a signal ended it, or it was never started. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The limit that ended it; null when it ended by itself. */
  readonly endedBy: EndedBy | null;
  /** The end of what it printed. */
  readonly stdout: string;
  readonly stderr: string;
  /** How much of both was forgotten (bytes). */
  readonly droppedBytes: number;
  readonly durationMs: number;
  /** Pids that SIGKILL could not end (stuck in the kernel, or another user's): empty in all but the worst of cases. */
  readonly survivors: readonly number[];
}

const DEFAULT_OUTPUT_BYTES = 10 * 1024 * 1024;
const QUIET_MS = 500;
const DRAIN_MS = 5_000;

/**
 * Runs a program without a shell and settles only when no process of it is left: what it leaves behind (also with
 * `setsid`) is ended like the program itself at a limit, by SIGTERM and, after the grace, SIGKILL.
 *
 * Resolves however the program ended; with an aborted `signal` it starts nothing. Throws what `startProcess` throws.
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const startedAt = performance.now();
  const output = createOutput(options);
  if (options.signal?.aborted === true) return resultOf(undefined, output, { endedBy: 'abort', startedAt, survivors: [] });

  const mark = { run: options.mark, runId: randomUUID(), system: options.system };
  const started = await startProcess(commandOf(options, markVariables(mark)), options.stdin);
  const tree = createProcessTree(started.pid, mark);
  const watch = watchLimits(options);
  const exited = eventOf(started, 'exit');
  const closed = eventOf(started, 'close');
  output.read(started, watch.heard);

  const endedBy = await Promise.race([exited.then(() => null), watch.passed]);
  watch.stop();
  const survivors = await tree.end({ graceMs: options.graceMs });
  await drain(started, closed, output);
  return resultOf(started, output, { endedBy, startedAt, survivors });
}

/** Unlike `events.once`, it does not take an `error` for the event's failure: that says nothing about the process's end. */
function eventOf(started: StartedProcess, name: 'exit' | 'close'): Promise<void> {
  return new Promise((resolve) => {
    started.child.once(name, () => {
      resolve();
    });
  });
}

function commandOf(options: ProcessOptions, mark: Record<string, string>): ProcessCommand {
  const set = { ...options.environment?.set, ...mark };
  const command = { argv: options.argv, cwd: options.cwd, env: buildEnvironment({ ...options.environment, set }) };
  return options.wrap?.(command) ?? command;
}

interface Output {
  readonly stdout: OutputTail;
  readonly stderr: OutputTail;
  read(started: StartedProcess, heard: () => void): void;
  /** When something last came, by the monotonic clock. */
  heardAt(): number;
  end(): void;
}

function createOutput(options: ProcessOptions): Output {
  const halfBytes = Math.floor((options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES) / 2);
  const tails = { stdout: createOutputTail(halfBytes), stderr: createOutputTail(halfBytes) };
  const readers = { stdout: lineReader('stdout', options.onLine), stderr: lineReader('stderr', options.onLine) };
  let heardAt = performance.now();

  return {
    ...tails,
    read: ({ child }, heard) => {
      for (const type of ['stdout', 'stderr'] as const) {
        child[type]?.on('error', () => undefined);
        child[type]?.on('data', (chunk: Buffer) => {
          heardAt = performance.now();
          heard();
          tails[type].push(chunk);
          readers[type].push(chunk);
          if (type === 'stdout') guarded(() => options.onStdout?.(chunk));
        });
      }
    },
    heardAt: () => heardAt,
    end: () => {
      readers.stdout.end();
      readers.stderr.end();
    },
  };
}

function lineReader(type: OutputLine['type'], onLine: ProcessOptions['onLine']): ReturnType<typeof createLineReader> {
  return createLineReader((text) => {
    guarded(() => onLine?.({ type, text }));
  });
}

/** A listener's fault must neither end the daemon (this runs in a stream's event) nor stop the reading. */
function guarded(tell: () => void): void {
  try {
    tell();
  } catch {
    // Nobody is there to be told.
  }
}

/**
 * Waits for what is still in the pipes. A process that could not be ended may hold them open for ever: so once nothing
 * has come for a while, they are closed from this side.
 */
async function drain(started: StartedProcess, closed: Promise<unknown>, output: Output): Promise<void> {
  const { child } = started;
  const from = performance.now();
  const isDone = await Promise.race([closed.then(() => true), quiet(from, output)]);
  if (!isDone) {
    for (const stream of child.stdio) stream?.destroy();
    child.unref();
  }
  output.end();
}

async function quiet(from: number, output: Output): Promise<false> {
  for (let now = from; now - from < DRAIN_MS && now - Math.max(from, output.heardAt()) < QUIET_MS; now = performance.now()) {
    await sleep(50, undefined, { ref: false });
  }
  return false;
}

interface Ending {
  readonly endedBy: EndedBy | null;
  readonly startedAt: number;
  readonly survivors: readonly number[];
}

function resultOf(started: StartedProcess | undefined, output: Output, ending: Ending): ProcessResult {
  return {
    exitCode: started?.child.exitCode ?? null,
    signal: started?.child.signalCode ?? null,
    endedBy: ending.endedBy,
    stdout: output.stdout.text(),
    stderr: output.stderr.text(),
    droppedBytes: output.stdout.droppedBytes() + output.stderr.droppedBytes(),
    durationMs: Math.round(performance.now() - ending.startedAt),
    survivors: ending.survivors,
  };
}
