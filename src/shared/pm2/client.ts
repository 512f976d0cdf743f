import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { PACKAGE_ROOT } from '../config/package-root.ts';
import { TerminalError } from '../errors/errors.ts';
import { isAlive } from '../lifecycle/process-state.ts';
import { pm2Prefix, SPEC_VARIABLE } from './app.ts';

/** What PM2 knows of one of our processes. "online" means started, no more. */
export interface Pm2Process {
  readonly name: string;
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
  readonly status: string;
  readonly restarts: number;
  /** The hash of the spec it was started with. */
  readonly spec: string | undefined;
}

/** PM2, reached through its command line with a scrubbed environment; sees the apps of one home only. */
export interface Pm2 {
  /** Our apps. Starts no PM2 daemon: without one there are none. */
  list(): Promise<Pm2Process[]>;
  /** Starts these apps of `ecosystem.config.js`, and PM2's daemon if need be. */
  start(names: readonly string[]): Promise<void>;
  /** Stops these apps (SIGINT, after their kill timeout SIGKILL) and forgets them. Other people's apps are never touched. */
  remove(names: readonly string[]): Promise<void>;
}

export interface Pm2Options {
  /** `MULTI_AGENT_HOME`. */
  readonly home: string;
  /** Where PATH, HOME, LANG and PM2_HOME are taken from. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const ECOSYSTEM = join(PACKAGE_ROOT, 'ecosystem.config.js');

/** The variables that PM2's client gets, and with it every app: PM2 copies its caller's environment into apps, list and dump. */
export function scrubbedEnvironment({ home, env = process.env }: Pm2Options): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'PM2_HOME'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { ...Object.fromEntries(kept), MULTI_AGENT_HOME: home, PM2_HOME: pm2Home(env), PM2_CONCURRENT_ACTIONS: '16' };
}

export function pm2Home(env: Readonly<Record<string, string | undefined>>): string {
  return env['PM2_HOME'] ?? join(env['HOME'] ?? homedir(), '.pm2');
}

/** @throws TerminalError `pm2_failed` from each method, with what PM2 said. */
export function createPm2(options: Pm2Options): Pm2 {
  const env = scrubbedEnvironment(options);
  const call = (args: readonly string[]): Promise<string> => callPm2(args, env);
  return {
    list: async () => {
      if (!(await isDaemonAlive(env['PM2_HOME'] ?? ''))) return [];
      return ownProcesses(await call(['jlist']), pm2Prefix(options.home));
    },
    start: async (names) => {
      if (names.length > 0) await call(['start', ECOSYSTEM, '--only', names.join(',')]);
    },
    remove: async (names) => {
      // One expression for all of them: PM2 then stops them side by side, and ten draining agents take as long as one.
      if (names.length > 0) await call(['delete', `/^(${names.join('|')})$/`]);
    },
  };
}

async function isDaemonAlive(pm2HomeFolder: string): Promise<boolean> {
  const pid = await readFile(join(pm2HomeFolder, 'pm2.pid'), 'utf8').catch(() => '');
  return isAlive(Number(pid.trim() || Number.NaN));
}

/** Only the fields used; PM2's own list has a hundred more. */
const ListedApps = z.array(
  z.object({
    name: z.string().catch(''),
    pid: z.number().optional().catch(undefined),
    pm2_env: z.object({
      status: z.string().catch('unknown'),
      restart_time: z.number().catch(0),
      [SPEC_VARIABLE]: z.string().optional().catch(undefined),
    }),
  }),
);

function ownProcesses(output: string, prefix: string): Pm2Process[] {
  // PM2 may print news of its own before the list.
  const apps = ListedApps.parse(JSON.parse(output.slice(output.lastIndexOf('\n[') + 1)));
  return apps
    .filter((app) => app.name.startsWith(prefix))
    .map(({ name, pid, pm2_env: state }) => ({
      name,
      pid: pid === undefined || pid === 0 ? undefined : pid,
      status: state.status,
      restarts: state.restart_time,
      spec: state[SPEC_VARIABLE],
    }));
}

function callPm2(args: readonly string[], env: Record<string, string>): Promise<string> {
  const binary = createRequire(import.meta.url).resolve('pm2/bin/pm2');
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new TerminalError('pm2_failed', `pm2 ${args[0] ?? ''} failed: ${reason}`));
    };
    const child = spawn(process.execPath, [binary, ...args, '--silent', '--no-color'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', (error) => {
      fail(error.message);
    });
    // Not `close`: the daemon that a first call starts may keep our pipes open.
    child.on('exit', (code) => {
      if (code !== 0) fail(errors.trim() || output.trim() || `exit code ${String(code)}`);
      else setImmediate(resolve, output);
    });
  });
}
