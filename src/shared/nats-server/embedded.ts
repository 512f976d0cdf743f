import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { homeHash, type HomePaths } from '../config/home.ts';
import { UnreachableError } from '../errors/errors.ts';
import { commandLineOf, isAlive } from '../lifecycle/process-state.ts';
import { type Identity } from '../messaging/permissions.ts';
import { renderNatsConfig, storeLimitIn, storeLimitMb } from './conf.ts';
import { ensureUsers } from './identities.ts';
import { probePort, type PortProbe } from './probe.ts';

/** The name of a home's embedded server: in its greeting, so that another home's is told apart before any login. */
export function serverNameOf(home: string): string {
  return `ma-${homeHash(home)}-nats`;
}

/** Who is there in every system. */
const ALWAYS: readonly Identity[] = ['provisioner', 'operator', 'repo-manager-1'];

/**
 * Writes seeds and config of the home's server: for its next start, or (`running`) to be reloaded. Seeds are made only once.
 *
 * @param identities who is to have a user, beside those who always have and those who had one before
 * @returns whether the config is another than before
 */
export async function writeNatsConfig(
  paths: HomePaths,
  port: number,
  identities: readonly Identity[] = [],
  { running = false } = {},
): Promise<boolean> {
  const before = await readFile(paths.natsConfig, 'utf8').catch(() => '');
  const settings = {
    serverName: serverNameOf(paths.home),
    port,
    users: await ensureUsers(paths.run, [...ALWAYS, ...identities]),
    storeFolder: paths.nats,
    pidFile: paths.natsPidFile,
    logFile: paths.logFile('nats'),
    maxStoreMb: (running ? storeLimitIn(before) : undefined) ?? (await storeLimitMb(paths.nats)),
  };
  const config = renderNatsConfig(settings);
  if (config === before) return false;
  await writeFile(paths.natsConfig, config, { mode: 0o600 });
  return true;
}

/**
 * The process of this home's server, whoever started it; undefined when it does not run. A pid file that outlived its server and names a
 * stranger by now is not believed: the process must run with our config file.
 */
export async function embeddedServerPid(paths: HomePaths): Promise<number | undefined> {
  const pid = Number((await readFile(paths.natsPidFile, 'utf8').catch(() => '')).trim());
  if (!(await isAlive(pid))) return undefined;
  return (await commandLineOf(pid)).includes(paths.natsConfig) ? pid : undefined;
}

/** Ends this home's server (SIGTERM, after 10 s SIGKILL) and waits until it is gone. Nothing happens when it does not run. */
export async function stopEmbeddedServer(paths: HomePaths): Promise<void> {
  const pid = await embeddedServerPid(paths);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + 10_000;
  while (await isAlive(pid)) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await delay(50);
  }
}

/**
 * Refuses a port that something else is on.
 *
 * @throws UnreachableError `foreign_server` naming it and the two variables that help.
 */
export async function refuseForeignServer(paths: HomePaths, port: number): Promise<PortProbe> {
  const probe = await probePort(port);
  if (probe.kind === 'free' || (probe.kind === 'nats' && probe.serverName === serverNameOf(paths.home))) return probe;
  const who =
    probe.kind === 'nats' ? `another NATS server ("${probe.serverName}", version ${probe.version})` : 'something that is not a NATS server';
  throw new UnreachableError(
    'foreign_server',
    `port ${String(port)} of 127.0.0.1 is taken by ${who}. Set NATS_PORT to a free port, or NATS_URL (with NATS_CREDS or NATS_NKEY_FILE) to use a server of your own.`,
    { details: { port, ...probe } },
  );
}

/**
 * Ends an orphan of this home's server and makes sure that `port` is free.
 *
 * @throws UnreachableError `foreign_server`, or `orphan_server` when it is ours but its pid file is gone, so that we can't tell which it is.
 */
export async function clearPort(paths: HomePaths, port: number): Promise<void> {
  await stopEmbeddedServer(paths);
  if ((await refuseForeignServer(paths, port)).kind === 'free') return;
  throw new UnreachableError(
    'orphan_server',
    `a nats-server of this home still runs on port ${String(port)}, but ${paths.natsPidFile} does not say which process it is. End it, then try again.`,
  );
}

/**
 * Waits until this home's server greets on `port`.
 *
 * @throws UnreachableError `nats_did_not_start` after `timeoutMs` (default 30 s), naming the log file; `foreign_server` as above.
 */
export async function waitForEmbeddedServer(paths: HomePaths, port: number, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while ((await refuseForeignServer(paths, port)).kind === 'free') {
    if (performance.now() > deadline) {
      throw new UnreachableError(
        'nats_did_not_start',
        `nats-server did not start within ${String(timeoutMs / 1000)} s; see ${paths.logFile('nats')}`,
      );
    }
    await delay(50);
  }
}
