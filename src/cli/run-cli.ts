import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from './context.ts';
import { reportError } from './output-error.ts';
import type { CliHost } from './host.ts';
import { createProgram } from './program.ts';

/** The commands that handle signals themselves: what they started has to end first. */
const DRAINING: readonly string[] = ['up', 'restart', 'down'];

/** Runs one command line (without `node` and the script). Never throws. @returns the exit code */
export async function runCli(argv: readonly string[], host: CliHost): Promise<ExitCode> {
  // Until the options are parsed, and where that fails, their mere presence says how to answer.
  host.given.json = beforeTerminator(argv).includes('--json');
  const program = await createProgram(host.context, argv);
  program.hook('preAction', (_program, command) => {
    host.given.drains = DRAINING.includes(command.name());
    const { nats } = program.opts<{ nats?: string }>();
    host.given.nats = nats;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return host.exitCode();
  } catch (error) {
    if (isAnswered(error)) return EXIT.done;
    return reportError(error, host.context);
  } finally {
    await host.close();
  }
}

function beforeTerminator(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}

/** Help or the version was asked for, and has been printed. */
function isAnswered(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}
