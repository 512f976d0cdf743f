import type { NatsConnection } from '@nats-io/transport-node';
import type { Connection } from '../shared/config/connection.ts';
import type { Config, Environment } from '../shared/config/load.ts';
import { type CliContext, type ConnectOptions, EXIT, type ExitCode } from './context.ts';

/** What of the world outside is not ours to make. */
export type World = Pick<CliContext, 'env' | 'cwd' | 'stdout' | 'stderr' | 'now' | 'interrupted'>;

/** What `runCli` sets before a command runs. */
export interface GivenOptions {
  json: boolean;
  nats: string | undefined;
  /** The command ends in its own time after a signal (it drains daemons): it is not made to. */
  drains: boolean;
}

/** What `runCli` needs beyond what commands see. */
export interface CliHost {
  readonly context: CliContext;
  readonly given: GivenOptions;
  /** What `exitWith` said last. */
  readonly exitCode: () => ExitCode;
  /** Closes what was opened. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 500;

/** A command's context in this world. Nothing is loaded, read or opened before a command asks for it. */
export function createHost(world: World, given: GivenOptions = { json: false, nats: undefined, drains: false }): CliHost {
  const opened: Promise<NatsConnection>[] = [];
  let exitCode: ExitCode = EXIT.done;
  let config: Promise<Config> | undefined;
  let connection: Promise<Connection> | undefined;
  const context: CliContext = {
    env: world.env,
    cwd: world.cwd,
    stdout: world.stdout,
    stderr: world.stderr,
    now: world.now,
    interrupted: world.interrupted,
    json: () => given.json,
    natsFlag: () => given.nats,
    colours: (output) => output.isTty && !world.env['NO_COLOR'] && world.env['TERM'] !== 'dumb',
    config: () => (config ??= readConfig(world.env)),
    connection: () => (connection ??= findConnection(context)),
    connect: (options) => {
      const connecting = connectTo(context, options);
      opened.push(connecting);
      return connecting;
    },
    printJson: (value) => world.stdout.write(`${JSON.stringify(value)}\n`),
    print: (line) => world.stdout.write(`${line}\n`),
    note: (line) => world.stderr.write(`${line}\n`),
    exitWith: (code) => {
      exitCode = code;
    },
  };
  return { context, given, exitCode: () => exitCode, close: () => closeAll(opened) };
}

async function closeAll(opened: readonly Promise<NatsConnection>[]): Promise<void> {
  const closed = Promise.allSettled(opened.map(async (connecting) => (await connecting).close()));
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_WITHIN_MS);
  });
  await Promise.race([closed, tooLong]);
  clearTimeout(timer);
}

async function readConfig(env: Environment): Promise<Config> {
  const { loadConfig } = await import('../shared/config/load.ts');
  return loadConfig('cli', env);
}

async function findConnection(context: CliContext): Promise<Connection> {
  const { resolveConnection } = await import('../shared/config/connection.ts');
  return resolveConnection({ config: await context.config(), flag: context.natsFlag(), env: context.env });
}

async function connectTo(context: CliContext, options: ConnectOptions = {}): Promise<NatsConnection> {
  const { connectNats } = await import('../shared/messaging/connection.ts');
  const { asIdentity } = await import('../shared/config/connection.ts');
  const at = { ...(await asIdentity(await context.connection(), options.identity ?? 'operator')), name: 'multi-agent cli' };
  const first = await connectNats(at);
  if (options.follow !== true) return first;
  // A connection that is made again for ever would also wait for ever for its first server: so look first whether there is one.
  await first.close();
  return connectNats({ ...at, patience: 'forever' });
}
