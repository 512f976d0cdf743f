import { createHost } from '../../../src/cli/host.ts';
import { runCli } from '../../../src/cli/run-cli.ts';

export interface CapturedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as one JSON document; throws when it is none. */
  readonly json: Record<string, unknown>;
  /** stdout as JSON lines. */
  readonly jsonLines: Record<string, unknown>[];
}

export interface CapturedOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly tty?: boolean;
  /** Told of all that is written, as it is. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a command line of the CLI in this process, and catches what it writes. */
export async function runCaptured(argv: readonly string[], options: CapturedOptions): Promise<CapturedRun> {
  const written = { stdout: '', stderr: '' };
  const outputTo = (name: 'stdout' | 'stderr') => ({
    write: (text: string): void => {
      written[name] += text;
      options.onOutput?.(text);
    },
    isTty: options.tty ?? false,
    columns: 100,
  });
  const host = createHost({
    env: options.env,
    cwd: options.cwd ?? '/',
    stdout: outputTo('stdout'),
    stderr: outputTo('stderr'),
    now: Date.now,
    interrupted: options.signal ?? new AbortController().signal,
  });
  const exitCode = await runCli(argv, host);
  return {
    exitCode,
    ...written,
    get json() {
      return JSON.parse(written.stdout) as Record<string, unknown>;
    },
    get jsonLines() {
      return written.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}
