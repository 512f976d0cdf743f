import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type RunningCli, startCliBy } from './e2e/cli.ts';
import { endProcessesOf } from './e2e/processes.ts';

/**
 * What stands for another machine: a network namespace with one cable to this one. It has a home of its own, and folders of this
 * machine that it is not to see are empty there.
 */
export interface OtherMachine {
  /** This machine's address on the cable. */
  readonly hostAddress: string;
  /** All it has; `HOME` and `MULTI_AGENT_HOME` are in it. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** A copy of a file of this machine. @returns its path there */
  copy(file: string): string;
  /** `multi-agent <args>` there, as it was built. Who starts it ends it. */
  startCli(env: Readonly<Record<string, string>>, ...args: readonly string[]): RunningCli;
  /** Ends what runs there, and takes it away. */
  remove(): Promise<void>;
}

/** Why there can be no other machine here; undefined when there can. */
export function whyNoOtherMachine(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces are for root';
  const name = `ma-try-${String(process.pid)}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${String(error)}`;
  }
}

/** @param hidden folders of this machine that are not on the other one's disk */
export function createOtherMachine(hidden: readonly string[]): OtherMachine {
  const folder = mkdtempSync(join(tmpdir(), 'ma-other-'));
  const [here, there, name] = ['h', 'o', 'n'].map((end) => `ma${String(process.pid)}${end}`) as [string, string, string];
  // Of 198.18.0.0/15, which is for tests of networks (RFC 2544): nobody's own.
  const net = `198.18.${String(process.pid % 256)}`;
  ip('netns', 'add', name);
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
  ip('address', 'add', `${net}.1/30`, 'dev', here);
  ip('link', 'set', here, 'up');
  ip('-n', name, 'address', 'add', `${net}.2/30`, 'dev', there);
  ip('-n', name, 'link', 'set', there, 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
  const home = join(folder, 'home');
  mkdirSync(home);
  // `ip netns exec` gives a mount namespace of its own, too.
  const hide = hidden.map((path) => `mount -t tmpfs tmpfs '${path}' && `).join('');
  return {
    hostAddress: `${net}.1`,
    folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, PM2_HOME: join(folder, 'pm2'), MULTI_AGENT_HOME: home },
    copy: (file) => {
      const copied = join(folder, basename(file));
      copyFileSync(file, copied);
      return copied;
    },
    startCli: (env, ...args) => startCliBy(['ip', 'netns', 'exec', name, 'sh', '-c', `${hide}exec "$@"`, 'sh'], env, ...args),
    remove: async () => {
      await endProcessesOf(folder);
      ip('netns', 'delete', name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
