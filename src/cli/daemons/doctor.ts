import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Connection } from '../../shared/config/connection.ts';
import type { Config } from '../../shared/config/load.ts';
import { messageOf } from '../../shared/errors/errors.ts';
import { findNatsServer } from '../../shared/nats-server/binary.ts';
import { serverNameOf } from '../../shared/nats-server/embedded.ts';
import { probePort } from '../../shared/nats-server/probe.ts';
import { openSandbox } from '../../shared/process/sandbox/open-sandbox.ts';
import { isAtLeast } from '../../shared/nats-server/version.ts';

/** One thing looked at. `warn` works but deserves a thought, `fail` has to be put right. */
export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly message: string;
}

const OLDEST_NODE = '20.19.0';
/** The first with `merge-tree --write-tree`. */
const OLDEST_GIT = '2.38.0';
const run = promisify(execFile);

/** Looks at everything the system needs on this machine; changes nothing, never throws. */
export async function examine(config: Config, connection: Connection): Promise<Finding[]> {
  const checks: readonly (() => Promise<Finding>)[] = [
    async () => nodeVersion(),
    gitVersion,
    () => natsServer(config, connection),
    () => natsPort(config, connection),
    () => homeFolder(config.home),
    () => diskSpace(config.home),
    async () => syncInterval(connection),
    async () => runner('coder', config.coderRunner, 'CODER_COMMAND'),
    async () => runner('reviewer', config.reviewerRunner, 'REVIEWER_COMMAND'),
    () => sandbox(config),
  ];
  return Promise.all(checks.map((check) => check().catch((error: unknown) => finding('doctor', 'fail', messageOf(error)))));
}

function finding(check: string, result: Finding['result'], message: string): Finding {
  return { check, result, message };
}

function nodeVersion(): Finding {
  const version = process.versions.node;
  return finding('node', isAtLeast(version, OLDEST_NODE) ? 'ok' : 'fail', `Node.js ${version} (${OLDEST_NODE} or newer is needed)`);
}

async function gitVersion(): Promise<Finding> {
  const output = await run('git', ['--version'], { timeout: 10_000 }).catch(() => undefined);
  const version = /(\d+\.\d+(\.\d+)?)/.exec(output?.stdout ?? '')?.[1];
  if (version === undefined) return finding('git', 'fail', 'git was not found on PATH');
  return finding('git', isAtLeast(version, OLDEST_GIT) ? 'ok' : 'fail', `git ${version} (${OLDEST_GIT} or newer is needed)`);
}

async function natsServer({ home }: Config, { embedded }: Connection): Promise<Finding> {
  if (!embedded) return finding('nats-server', 'ok', 'not needed: NATS_URL names a server');
  const binary = await findNatsServer(home);
  if (binary === undefined) return finding('nats-server', 'warn', 'none on PATH; "up" will fetch one');
  return finding('nats-server', 'ok', `${binary.version} (${binary.path})`);
}

async function natsPort({ home, natsPort: port }: Config, { embedded }: Connection): Promise<Finding> {
  if (!embedded) return finding('port', 'ok', 'not needed: NATS_URL names a server');
  const probe = await probePort(port);
  const where = `127.0.0.1:${String(port)}`;
  if (probe.kind === 'free') return finding('port', 'ok', `${where} is free`);
  if (probe.kind === 'nats' && probe.serverName === serverNameOf(home)) return finding('port', 'ok', `${where} is our nats-server`);
  const who = probe.kind === 'nats' ? `another NATS server (${probe.serverName})` : 'another program';
  return finding('port', 'fail', `${where} is taken by ${who}; set NATS_PORT to a free port, or NATS_URL`);
}

async function homeFolder(home: string): Promise<Finding> {
  const found = await stat(home).catch(() => undefined);
  if (found === undefined) return canMake(home);
  if (!found.isDirectory()) return finding('home', 'fail', `${home} is not a folder`);
  if (!(await isWritable(home))) return finding('home', 'fail', `${home} can't be written to`);
  if ((found.mode & 0o077) !== 0) return finding('home', 'warn', `${home} is open to other users; \`chmod 700 ${home}\` closes it`);
  return finding('home', 'ok', home);
}

async function canMake(home: string): Promise<Finding> {
  const parent = dirname(home);
  if (parent !== home && !(await exists(parent))) return canMake(parent);
  return finding('home', (await isWritable(parent)) ? 'ok' : 'fail', `${home} is not there yet; "up" makes it`);
}

async function diskSpace(home: string): Promise<Finding> {
  let folder = home;
  while (!(await exists(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  const disk = await statfs(folder);
  const freeMb = Math.floor((disk.bavail * disk.bsize) / 1_000_000);
  const result = freeMb < 300 ? 'fail' : freeMb < 2_000 ? 'warn' : 'ok';
  return finding('disk', result, `${String(freeMb)} MB free for ${home}`);
}

function syncInterval({ embedded }: Connection): Finding {
  if (!embedded)
    return finding(
      'sync',
      'warn',
      'your NATS server may acknowledge before it has synced to disk (sync_interval, by default 2 min): a power cut can lose that',
    );
  return finding(
    'sync',
    'warn',
    'nats-server syncs to disk every 2 minutes: a killed server loses nothing, a power cut may lose the last acknowledged messages',
  );
}

function runner(role: string, name: string | undefined, variable: string): Finding {
  return name === undefined
    ? finding(`${role} runner`, 'warn', `none is configured; set ${variable}`)
    : finding(`${role} runner`, 'ok', name);
}

async function sandbox({ home, sandboxRead, unsafeNoSandbox }: Config): Promise<Finding> {
  const { description, isolates, refusal } = await openSandbox({ home, unsafe: unsafeNoSandbox, readable: sandboxRead });
  return finding('sandbox', isolates ? 'ok' : refusal === undefined ? 'warn' : 'fail', refusal ?? description);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
