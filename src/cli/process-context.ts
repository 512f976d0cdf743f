import { EXIT, type Output } from './context.ts';
import { type CliHost, createHost } from './host.ts';

const NO_TERMINAL_COLUMNS = 80;
/** How long a command that drains nothing may take to end after the first signal. */
const INTERRUPT_GRACE_MS = 2_000;

/** The world as this process sees it. */
export function createProcessContext(process: NodeJS.Process): CliHost {
  // Who reads has gone (`| head`): that is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(EXIT.done));
  const given = { json: false, nats: undefined, drains: false };
  return createHost(
    {
      env: process.env,
      cwd: process.cwd(),
      stdout: outputTo(process.stdout),
      stderr: outputTo(process.stderr),
      now: Date.now,
      interrupted: interruptionOf(process, () => given.drains),
    },
    given,
  );
}

/** Resolves when what the process has written is out. */
export async function flushed(process: NodeJS.Process): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
}

function outputTo(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    // Undefined, whatever its type says, where it is no terminal.
    isTty: 'isTTY' in stream && stream.isTTY,
    get columns() {
      // A terminal of no set size says 0.
      return stream.isTTY && stream.columns > 0 ? stream.columns : NO_TERMINAL_COLUMNS;
    },
  };
}

function interruptionOf(process: NodeJS.Process, drains: () => boolean): AbortSignal {
  const interruption = new AbortController();
  const interrupt = (): void => {
    const again = interruption.signal.aborted;
    interruption.abort();
    if (drains()) return;
    if (again) process.exit(EXIT.interrupted);
    setTimeout(() => process.exit(EXIT.interrupted), INTERRUPT_GRACE_MS).unref();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return interruption.signal;
}
