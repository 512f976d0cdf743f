import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive } from '../../src/shared/lifecycle/process-state.ts';
import { requireNoRefusals } from './refusals.ts';

const run = promisify(execFile);

/** A world of its own for PM2 and the system: `HOME`, `PM2_HOME`, `MULTI_AGENT_HOME` in a temporary folder, and a free port. */
export interface TestHome {
  readonly folder: string;
  /** `MULTI_AGENT_HOME`. */
  readonly home: string;
  readonly port: number;
  /** All a child or a command needs. */
  readonly env: Readonly<Record<string, string>>;
  /** The process of PM2's daemon; undefined when none runs. */
  pm2Pid(): Promise<number | undefined>;
  /**
   * Ends PM2 with all its apps, and removes everything.
   *
   * @throws Error where the home's NATS server refused somebody anything
   */
  remove(): Promise<void>;
}

export async function createTestHome(extra: Readonly<Record<string, string>> = {}): Promise<TestHome> {
  const folder = await mkdtemp(join(tmpdir(), 'ma-system-'));
  const [home, pm2Home, port] = [join(folder, 'home'), join(folder, 'pm2'), await freePort()];
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    PM2_HOME: pm2Home,
    MULTI_AGENT_HOME: home,
    NATS_PORT: String(port),
    // What runners of tests are seen by lies outside their workspaces.
    MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
    ...extra,
  };
  const pm2Pid = async (): Promise<number | undefined> => {
    const pid = Number((await readFile(join(pm2Home, 'pm2.pid'), 'utf8').catch(() => '')) || Number.NaN);
    return (await isAlive(pid)) ? pid : undefined;
  };
  return {
    folder,
    home,
    port,
    env,
    pm2Pid,
    remove: async () => {
      // This home's PM2, never the user's: `env` says which.
      if ((await pm2Pid()) !== undefined) await pm2(['kill'], env);
      const natsPid = Number(await readFile(join(home, 'run', 'nats.pid'), 'utf8').catch(() => Number.NaN));
      if (await isAlive(natsPid)) process.kill(natsPid, 'SIGKILL');
      while (await isAlive(natsPid)) await delay(20);
      await requireNoRefusals(join(home, 'logs', 'nats.log')).finally(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    },
  };
}

/** Runs PM2's own command line in the given environment. */
export async function pm2(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const binary = createRequire(import.meta.url).resolve('pm2/bin/pm2');
  return (await run(process.execPath, [binary, ...args], { env, maxBuffer: 50_000_000 })).stdout;
}

/** A port of 127.0.0.1 that nothing listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
