import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { createUser } from '@nats-io/nkeys';
import { seedFile } from '../../src/shared/config/seed-file.ts';
import type { Identity } from '../../src/shared/messaging/permissions.ts';
import { renderAccounts } from '../../src/shared/nats-server/accounts.ts';
import { findOrFetchNatsServer } from '../../src/shared/nats-server/binary.ts';
import { ensureUsers } from '../../src/shared/nats-server/identities.ts';

export interface TestNatsServer {
  /** `nats://127.0.0.1:<port>`; the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** The folder of its config and its JetStream store; removed by `stop`. */
  readonly folder: string;
  /** Where the nkey seed of one who may do everything is (with `credential` or `users`). */
  readonly nkeyFile: string | undefined;
  /** How one of the `users` connects. */
  readonly as: (identity: Identity) => { readonly url: string; readonly nkeyFile: string; readonly identity: Identity };
  readonly pid: () => number;
  /** Where it writes what it has to say. */
  readonly log: string;
  /** Ends the process and removes everything. Idempotent: for `afterAll`. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone; the store stays. */
  kill9(): Promise<void>;
  /** SIGKILL if it still runs, then starts again on the same port and store. */
  restart(): Promise<void>;
}

export interface TestNatsServerOptions {
  /** Demand an nkey user; its seed file is `nkeyFile`. Default false: anyone may connect. */
  readonly credential?: boolean;
  /** Only these, each with its own permissions, and the tests' own all-powerful one. */
  readonly users?: readonly Identity[];
  /** More lines for the config file. */
  readonly extra?: string;
  /** Where its JetStream store is. Default: in its folder. */
  readonly store?: string;
}

/** Where a fetched nats-server is kept between test runs, for machines that have none on PATH. */
export const BINARY_CACHE = fileURLToPath(new URL('../../node_modules/.cache/multi-agent', import.meta.url));

/** A real nats-server with JetStream on a free port of 127.0.0.1, its store in a folder of its own. */
export async function startNatsServer(options: TestNatsServerOptions = {}): Promise<TestNatsServer> {
  const binary = await findOrFetchNatsServer({ home: BINARY_CACHE });
  const folder = await mkdtemp(join(tmpdir(), 'ma-nats-'));
  const nkeyFile = options.credential === true || options.users ? join(folder, 'user.nk') : undefined;
  const config = await configOf(folder, nkeyFile, options);
  let child = await launch(binary.path, folder, config, -1);
  const port = child.port;

  const kill9 = async (): Promise<void> => {
    await end(child.process, 'SIGKILL');
  };
  return {
    url: `nats://127.0.0.1:${String(port)}`,
    port,
    folder,
    nkeyFile,
    as: (identity) => ({ url: `nats://127.0.0.1:${String(port)}`, nkeyFile: seedFile(folder, identity), identity }),
    pid: () => child.process.pid ?? 0,
    log: logOf(folder),
    kill9,
    restart: async () => {
      await kill9();
      child = await launch(binary.path, folder, config, port);
    },
    stop: async () => {
      await end(child.process, 'SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function configOf(
  folder: string,
  nkeyFile: string | undefined,
  { users, extra = '', store }: TestNatsServerOptions,
): Promise<string> {
  const path = join(folder, 'nats.conf');
  const lines = [
    `ports_file_dir: "${folder}"`,
    `jetstream { store_dir: "${store ?? join(folder, 'store')}", max_file_store: 4GB }`,
    'max_payload: 8MB',
    extra,
  ];
  if (nkeyFile !== undefined) {
    const user = createUser();
    await writeFile(nkeyFile, Buffer.from(user.getSeed()).toString(), { mode: 0o600 });
    const all = `users: [ { nkey: ${user.getPublicKey()} }`;
    const accounts = users && renderAccounts(await ensureUsers(folder, users));
    // The first list of users is that of the account with the streams.
    lines.push(accounts?.replace('users: [', all) ?? `authorization { ${all} ] }`);
  }
  await writeFile(path, lines.join('\n'));
  return path;
}

async function launch(binary: string, folder: string, config: string, port: number): Promise<{ process: ChildProcess; port: number }> {
  const args = ['-c', config, '-a', '127.0.0.1', '-p', String(port), '-l', logOf(folder)];
  const child = spawn(binary, args, { stdio: 'ignore', env: {} });
  await once(child, 'spawn');
  const portsFile = join(folder, `nats-server_${String(child.pid)}.ports`);
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline && child.exitCode === null) {
    const found = portIn(await readFile(portsFile, 'utf8').catch(() => ''));
    if (found !== undefined) return { process: child, port: found };
    await delay(10);
  }
  await end(child, 'SIGKILL');
  throw new Error(`nats-server did not start: ${await readFile(logOf(folder), 'utf8').catch(() => 'no log')}`);
}

function logOf(folder: string): string {
  return join(folder, 'server.log');
}

/** Undefined while the file is not there, or only half written. */
function portIn(portsFile: string): number | undefined {
  const match = /"nats":\s*\[\s*"(?:nats|tls):\/\/[^"]*:(\d+)"/.exec(portsFile);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
