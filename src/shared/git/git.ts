import { gitEnvironment, settingsArguments } from './environment.ts';
import { gitFailure } from './failure.ts';
import { type GitCommand, type GitEnd, type Owner, startGit, type StartedGit } from './start-git.ts';

export type { Owner } from './start-git.ts';

/** Which repository a git process works on. Nothing is ever looked for: no discovery, no working directory. */
export interface GitLocation {
  readonly gitDir: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** Further object directories that are read, never written. */
  readonly alternates?: readonly string[];
  /** Where objects are read and written, when it is not `gitDir`'s own place. */
  readonly objectDirectory?: string;
  /** Run as this user: for a repository of somebody else, when we are root. */
  readonly owner?: Owner;
  /** Further `name=value` settings, for instance `core.fileMode=false`. Never taken from a repository without a look at the name. */
  readonly settings?: readonly string[];
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Milliseconds, default 10 minutes: a git that waits for something (a FIFO in a tree) is ended. */
  readonly timeoutMs?: number;
  /** The most it may print, in bytes; default 256 MB. */
  readonly maxBytes?: number;
  /** Exit codes that are an answer and no failure; default only 0. */
  readonly answers?: readonly number[];
}

export interface GitOutput {
  readonly stdout: string;
  readonly exitCode: number;
}

export interface GitBytes {
  readonly stdout: Buffer;
  readonly exitCode: number;
}

/** One repository, and the safe way to run git on it. Throws what `gitFailure` says. */
export interface Git {
  readonly location: GitLocation;
  /** Runs a git command and gives what it printed as UTF-8. Values from outside come after `--end-of-options` or `--`. */
  run(args: readonly string[], options?: RunOptions): Promise<GitOutput>;
  /** The same, as bytes: for file names and contents. */
  runBytes(args: readonly string[], options?: RunOptions): Promise<GitBytes>;
}

const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

export function createGit(location: GitLocation): Git {
  return {
    location,
    runBytes: (args, options) => runBytes(location, args, options),
    run: async (args, options) => {
      const { stdout, exitCode } = await runBytes(location, args, options);
      return { stdout: stdout.toString('utf8'), exitCode };
    },
  };
}

/** The same repository seen otherwise, for instance with another index. */
export function gitWith(git: Git, changes: Partial<GitLocation>): Git {
  return createGit({ ...git.location, ...changes });
}

async function runBytes(location: GitLocation, args: readonly string[], options: RunOptions = {}): Promise<GitBytes> {
  // A quick command could be done before it is interrupted: one that is not wanted is not started.
  if (options.signal?.aborted === true) throw gitFailure({ args, exitCode: undefined, stderr: '', interrupted: true });
  const started = startGit(gitCommand(location, args, { ...options, hasInput: options.input !== undefined }));
  started.stdin?.end(options.input);
  const { stdout, tooLong, ...end } = await readGit(started, options.maxBytes ?? DEFAULT_MAX_BYTES);
  const answers = options.answers ?? [0];
  if (end.exitCode !== undefined && !tooLong && answers.includes(end.exitCode)) return { stdout, exitCode: end.exitCode };
  throw gitFailure({ args, ...end, tooLong });
}

/** Reads what a git prints to its end, or to the most that is wanted: then it is stopped, and what came so far is given. */
export async function readGit(
  started: StartedGit,
  maxBytes: number,
): Promise<GitEnd & { readonly stdout: Buffer; readonly tooLong: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  started.stdout.on('data', (chunk: Buffer) => {
    if (bytes <= maxBytes) chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxBytes) started.stop();
  });
  const end = await started.ended;
  return { ...end, stdout: Buffer.concat(chunks).subarray(0, maxBytes), tooLong: bytes > maxBytes };
}

/** All that comes before the command itself. */
function gitArguments(location: GitLocation): string[] {
  return [
    `--git-dir=${location.gitDir}`,
    ...(location.workTree === undefined ? [] : [`--work-tree=${location.workTree}`]),
    ...settingsArguments(location.settings),
  ];
}

/** What every git process of ours is started with: our settings, our environment, never a working directory that could matter. */
export function gitCommand(
  location: GitLocation,
  args: readonly string[],
  { env, signal, timeoutMs = DEFAULT_TIMEOUT_MS, hasInput = false }: RunOptions & { readonly hasInput?: boolean } = {},
): GitCommand {
  return {
    args: [...gitArguments(location), ...args],
    env: { ...locationEnvironment(location), ...env },
    hasInput,
    owner: location.owner,
    signal,
    timeoutMs,
  };
}

function locationEnvironment(location: GitLocation): Record<string, string> {
  return gitEnvironment({
    ...(location.indexFile === undefined ? {} : { GIT_INDEX_FILE: location.indexFile }),
    ...(location.objectDirectory === undefined ? {} : { GIT_OBJECT_DIRECTORY: location.objectDirectory }),
    ...(location.alternates === undefined || location.alternates.length === 0
      ? {}
      : { GIT_ALTERNATE_OBJECT_DIRECTORIES: location.alternates.map(quoted).join(':') }),
  });
}

/** git splits the list at colons, and reads an entry in double quotes as a C string. */
function quoted(path: string): string {
  return /^[A-Za-z0-9/._-]+$/.test(path) ? path : `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}
