import type { CliContext } from './context.ts';

export interface Spinner {
  /** What is being done now. */
  say(text: string): void;
  stop(): void;
}

/**
 * Shows that something is going on: a spinner on a terminal, a plain line each where there is none. On stderr, so that stdout
 * has results only.
 */
export async function startSpinner(io: CliContext): Promise<Spinner> {
  // On a terminal of no set size the spinner would erase lines without end.
  const hasSize = process.stderr.columns > 0;
  if (!io.stderr.isTty || !io.colours(io.stderr) || !hasSize) {
    return {
      say: (text) => {
        io.note(text);
      },
      stop: () => undefined,
    };
  }
  // Imported here only: commands that show no spinner should not pay for it.
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: process.stderr, discardStdin: false });
  return {
    say: (text) => {
      spinner.start(text);
    },
    stop: () => {
      spinner.stop();
    },
  };
}
