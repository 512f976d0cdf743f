import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { messageOf, RetryableError, TerminalError } from '../errors/errors.ts';
import { type Argv, displayCommand } from './command-line.ts';
import type { Environment } from './environment.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';

/** What is started: a program with its arguments, where, and with which environment. */
export interface ProcessCommand {
  readonly argv: Argv;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  readonly env: Environment;
  /** What it can read from its descriptors 3, 4, and so on, each to its end. */
  readonly inputs?: readonly Uint8Array[] | undefined;
}

/** A process that was started, with its pid known. */
export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
}

const FIRST_INPUT = 3;

// The machine is out of something, or the program is being written this moment: that passes.
const PASSING_CODES = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ETXTBSY']);

/**
 * Starts a program as the leader of its own session, without a shell. `stdin` is written and closed; a program that
 * does not read it is fine. Without it, stdin is empty.
 *
 * Throws `TerminalError` `program_not_found`, `program_not_executable`, `directory_not_found` or `program_not_started`,
 * and `RetryableError` `program_not_started` where the machine is out of processes, files or memory.
 */
export async function startProcess(command: ProcessCommand, stdin: string | undefined): Promise<StartedProcess> {
  const child = spawnProgram(command, stdin !== undefined);
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as unknown[];
    throw startFailure(command, error);
  }
  // Later ones (a signal that could not be sent) have no one waiting for them, and must not end the daemon.
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  for (const [index, input] of (command.inputs ?? []).entries()) feed(child.stdio[FIRST_INPUT + index], input);
  return { child, pid: child.pid };
}

/** What is not read to its end is no fault of ours. */
function feed(stream: ChildProcess['stdio'][number] | undefined, input: Uint8Array): void {
  if (!stream || !('write' in stream)) return;
  stream.on('error', () => undefined);
  stream.end(input);
}

function spawnProgram(command: ProcessCommand, hasStdin: boolean): ChildProcess {
  const [program, ...args] = command.argv;
  let nothing: number | undefined;
  try {
    nothing = openSync('/dev/null', 'r');
    return spawn(program, args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      shell: false,
      stdio: descriptorsOf(command, hasStdin, nothing),
    });
  } catch (error) {
    throw startFailure(command, error);
  } finally {
    if (nothing !== undefined) closeSync(nothing);
  }
}

/** What it has open is what it is given: in the place of what we were once given ourselves, there is `nothing`. */
function descriptorsOf({ inputs = [] }: ProcessCommand, hasStdin: boolean, nothing: number): StdioOptions {
  const given = [hasStdin ? 'pipe' : 'ignore', 'pipe', 'pipe', ...inputs.map(() => 'pipe' as const)] as const;
  const inherited = new Set(inheritedDescriptors());
  const count = Math.max(given.length, ...[...inherited].map((descriptor) => descriptor + 1));
  return Array.from({ length: count }, (_, index) => given[index] ?? (inherited.has(index) ? nothing : 'ignore'));
}

function startFailure(command: ProcessCommand, cause: unknown): Error {
  const [program] = command.argv;
  const code = codeOf(cause);
  const details = { cause, details: { program, cwd: command.cwd, reason: code } };
  if (PASSING_CODES.has(code)) {
    return new RetryableError('program_not_started', `${program} could not be started just now (${code})`, details);
  }
  if (!existsSync(command.cwd)) {
    return new TerminalError('directory_not_found', `${program} could not be started: there is no directory ${command.cwd}`, details);
  }
  if (code === 'ENOENT') return new TerminalError('program_not_found', notFoundMessage(program), details);
  if (code === 'EACCES') {
    return new TerminalError('program_not_executable', `${program} could not be started: it is not an executable file`, details);
  }
  return new TerminalError('program_not_started', `${displayCommand([program])} could not be started: ${messageOf(cause)}`, details);
}

function notFoundMessage(program: string): string {
  if (!program.includes('/')) return `${program} was not found on PATH`;
  const hint = program.startsWith('/') ? '' : '; a relative path is looked up in the working directory, so give an absolute one';
  return `${program} was not found, or the interpreter its first line names was not${hint}`;
}

/** By shape and not by class: an error of Node's own may come from another realm. */
function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
