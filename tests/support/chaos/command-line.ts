import { messageOf } from '../../../src/shared/errors/errors.ts';

export interface Harness<Options extends { readonly isJson: boolean }, Report extends { readonly ok: boolean }> {
  readonly usage: string;
  readonly options: (args: readonly string[]) => Options;
  readonly run: (options: Options, say: (line: string) => void, signal: AbortSignal) => Promise<Report>;
  /** The report for people. */
  readonly shown: (report: Report) => string;
}

/**
 * Runs one of the long checks as a program: what goes on to stderr, the report to stdout. Exit 0: ok, 1: something is wrong,
 * 2: bad usage, 130: interrupted.
 */
export async function runAsProgram<Options extends { readonly isJson: boolean }, Report extends { readonly ok: boolean }>(
  harness: Harness<Options, Report>,
): Promise<void> {
  const options = optionsOrExit(harness);
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort());
  try {
    const report = await harness.run(options, say, interrupted.signal);
    const text = options.isJson ? JSON.stringify(report, null, 2) : harness.shown(report);
    // Not before all of it is out: a pipe may be slow.
    process.stdout.write(`${text}\n`, () => process.exit(report.ok ? 0 : 1));
  } catch (error) {
    say(interrupted.signal.aborted ? 'interrupted' : String(error instanceof Error ? error.stack : error));
    process.exit(interrupted.signal.aborted ? 130 : 1);
  }
}

function optionsOrExit<Options>({ options, usage }: { options: (args: readonly string[]) => Options; usage: string }): Options {
  try {
    return options(process.argv.slice(2));
  } catch (error) {
    say(`${messageOf(error)}\n${usage}`);
    process.exit(2);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
