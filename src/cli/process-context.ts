import type { NatsConnection } from '@nats-io/transport-node';
import type { Config } from '../shared/config/load.ts';
import type { Connection } from '../shared/config/connection.ts';
import { type CliContext, type ConnectOptions, EXIT, type ExitCode, type Output } from './context.ts';

/** What `run-cli.ts` needs beyond what commands see. */
export interface CliHost {
  readonly context: CliContext;
  /** The options that go with every command, set as soon as they are parsed. */
  readonly given: {
    json: boolean;
    nats: string | undefined;
    /** The command ends in its own time after a signal (it drains daemons): it is not made to. */
    drains: boolean;
  };
  /** What `exitWith` said last. */
  readonly exitCode: () => ExitCode;
  /** Closes what was opened. */
  close(): Promise<void>;
  /** Resolves when what was written is out. */
  flushed(): Promise<void>;
}

const NO_TERMINAL_COLUMNS = 80;
/** How long a command that drains nothing may take to end after the first signal. */
const INTERRUPT_GRACE_MS = 2_000;
const CLOSE_WITHIN_MS = 500;

/** The world as this process sees it. */
export function createProcessContext(process: NodeJS.Process): CliHost {
  const given: CliHost['given'] = { json: false, nats: undefined, drains: false };
  const opened: Promise<NatsConnection>[] = [];
  const stdout = outputTo(process.stdout);
  const stderr = outputTo(process.stderr);
  let exitCode: ExitCode = EXIT.done;
  let config: Promise<Config> | undefined;
  let connection: Promise<Connection> | undefined;

  // Who reads has gone (`| head`): that is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(EXIT.done));

  const context: CliContext = {
    env: process.env,
    cwd: process.cwd(),
    stdout,
    stderr,
    now: Date.now,
    json: () => given.json,
    natsFlag: () => given.nats,
    colours: (output) => output.isTty && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
    interrupted: interruptionOf(process, () => given.drains),
    config: () => (config ??= readConfig(process.env)),
    connection: () => (connection ??= findConnection(context)),
    connect: (options) => {
      const connecting = connectTo(context, options);
      opened.push(connecting);
      return connecting;
    },
    printJson: (value) => stdout.write(`${JSON.stringify(value)}\n`),
    print: (line) => stdout.write(`${line}\n`),
    note: (line) => stderr.write(`${line}\n`),
    exitWith: (code) => {
      exitCode = code;
    },
  };
  return {
    context,
    given,
    exitCode: () => exitCode,
    close: async () => {
      await Promise.race([Promise.allSettled(opened.map(async (connecting) => (await connecting).close())), timeout(CLOSE_WITHIN_MS)]);
    },
    flushed: async () => {
      await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
    },
  };
}

function outputTo(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTty: stream.isTTY,
    get columns() {
      return stream.isTTY ? stream.columns : NO_TERMINAL_COLUMNS;
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

async function readConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const { loadConfig } = await import('../shared/config/load.ts');
  return loadConfig('cli', env);
}

async function findConnection(context: CliContext): Promise<Connection> {
  const { resolveConnection } = await import('../shared/config/connection.ts');
  return resolveConnection({ config: await context.config(), flag: context.natsFlag(), env: context.env });
}

async function connectTo(context: CliContext, options: ConnectOptions = {}): Promise<NatsConnection> {
  const { connectNats } = await import('../shared/messaging/connection.ts');
  const at = { ...(await context.connection()), name: 'multi-agent cli' };
  const first = await connectNats(at);
  if (options.follow !== true) return first;
  // A connection that is made again for ever would also wait for ever for its first server: so look first whether there is one.
  await first.close();
  return connectNats({ ...at, patience: 'forever' });
}

async function timeout(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
}
