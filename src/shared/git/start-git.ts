import { type ChildProcess, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';

/** The user that a repository belongs to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface GitCommand {
  /** All arguments, the settings among them. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Whether something is to be written to its stdin; else that is empty. */
  readonly hasInput: boolean;
  readonly owner: Owner | undefined;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds until it is ended. */
  readonly timeoutMs: number;
}

/** A git process that runs. */
export interface StartedGit {
  /** Null without input. A git that does not read it to the end is fine. */
  readonly stdin: Writable | null;
  /** Has to be read, or `ended` never settles. */
  readonly stdout: Readable;
  /** Settles once it has ended and its pipes are closed; never rejects. */
  readonly ended: Promise<GitEnd>;
  /** Ends it: SIGTERM, and SIGKILL where that does not help. */
  stop(): void;
}

/** How a git process ended. */
export interface GitEnd {
  /** Undefined where a signal ended it, or it could not be started. */
  readonly exitCode: number | undefined;
  /** The end of what it complained about. */
  readonly stderr: string;
  /** `ENOENT`, `EACCES`, ... where it could not be started. */
  readonly startError: string | undefined;
  readonly interrupted: boolean;
  readonly timedOut: boolean;
}

const GRACE_MS = 5_000;
const STDERR_CHARS = 64 * 1024;

/**
 * Starts git, with Node's own `spawn` and nothing around it: a job is some thirty git processes, and starting them is most of what they cost.
 *
 * It is not ended when we are: a git that writes is better left to its end.
 */
export function startGit(command: GitCommand): StartedGit {
  try {
    return watched(spawnGit(command), command);
  } catch (error) {
    const ended = { exitCode: undefined, stderr: '', startError: codeOf(error), interrupted: false, timedOut: false };
    return { stdin: null, stdout: Readable.from([]), ended: Promise.resolve(ended), stop: () => undefined };
  }
}

function spawnGit({ args, env, hasInput, owner }: GitCommand) {
  const options = { cwd: '/', env, shell: false, ...(owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }) } as const;
  return hasInput
    ? spawn('git', args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    : spawn('git', args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
}

function watched(child: ReturnType<typeof spawnGit>, { signal, timeoutMs }: GitCommand): StartedGit {
  const said = { stderr: '', startError: undefined as string | undefined, timedOut: false };
  const stop = createStop(child);
  const timer = setTimeout(() => {
    said.timedOut = true;
    stop();
  }, timeoutMs);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  // It may have ended before it had read everything.
  child.stdin?.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.stderr = (said.stderr + chunk).slice(-STDERR_CHARS);
  });
  child.on('error', (error) => {
    // Later ones are about signals that could not be sent.
    if (child.pid === undefined) said.startError = codeOf(error);
  });
  const ended = new Promise<GitEnd>((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      const exitCode = said.startError === undefined ? (code ?? undefined) : undefined;
      resolve({ ...said, exitCode, interrupted: exitCode === undefined && signal?.aborted === true });
    });
  });
  return { stdin: child.stdin, stdout: child.stdout, ended, stop };
}

function createStop(child: ChildProcess): () => void {
  let killing: NodeJS.Timeout | undefined;
  child.on('close', () => {
    clearTimeout(killing);
  });
  return () => {
    child.kill('SIGTERM');
    killing ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
}

/** By shape and not by class: an error of Node's own may come from another realm. */
function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
