import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The CLI as it was built. */
export const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** How a call of the CLI ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What was printed, which must be exactly one JSON document on one line. */
  json(): unknown;
  /** What was printed, which must be JSON lines and nothing else. */
  jsonLines(): unknown[];
}

/** A call that is still running. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** No call may take longer: a hanging CLI is a failure with its output, not a test that never ends. */
const LONGEST_CALL_MS = 170_000;

/** Runs `multi-agent <args>` as a process of its own. */
export async function cli(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> {
  const running = startCli(env, ...args);
  const timer = setTimeout(() => running.child.kill('SIGKILL'), LONGEST_CALL_MS);
  return running.ended.finally(() => {
    clearTimeout(timer);
  });
}

/** Several calls one after the other: a dozen processes at once are more than a machine with two cores starts in time. */
export async function eachCli(env: Readonly<Record<string, string>>, calls: readonly (readonly string[])[]): Promise<CliResult[]> {
  const results: CliResult[] = [];
  for (const args of calls) results.push(await cli(env, ...args));
  return results;
}

/** The same, not waited for. Who starts it ends it. */
export function startCli(env: Readonly<Record<string, string>>, ...args: readonly string[]): RunningCli {
  return startCliBy([], env, ...args);
}

/** The same by way of a launcher: a command that ends in running its arguments. */
export function startCliBy(launcher: readonly string[], env: Readonly<Record<string, string>>, ...args: readonly string[]): RunningCli {
  const [program = process.execPath, ...rest] = [...launcher, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const stdout = (): string => Buffer.concat(out).toString('utf8');
  const stderr = (): string => Buffer.concat(err).toString('utf8');
  return { child, stdout, stderr, ended: result(child, args, stdout, stderr) };
}

async function result(child: ChildProcess, args: readonly string[], stdout: () => string, stderr: () => string): Promise<CliResult> {
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = (): unknown[] =>
    stdout()
      .trimEnd()
      .split('\n')
      .map((line) => parse(line, args, stderr()));
  return {
    code,
    stdout: stdout(),
    stderr: stderr(),
    jsonLines: () => (stdout() === '' ? [] : lines()),
    json: () => {
      const [document, ...more] = lines();
      if (more.length > 0) throw new Error(`multi-agent ${args.join(' ')} printed more than one document:\n${stdout()}`);
      return document;
    },
  };
}

function parse(line: string, args: readonly string[], stderr: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`multi-agent ${args.join(' ')} printed what is no JSON: ${JSON.stringify(line)}\n${stderr}`);
  }
}
