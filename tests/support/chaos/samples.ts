import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import type { World } from './world.ts';

/** One look at everything that could grow. Names are `<kind> <what>`: `rss coder-1`, `bytes EVENTS`, `disk worktrees`. */
export interface Sample {
  /** Since the start (milliseconds). */
  readonly atMs: number;
  /** Jobs that were over by then. */
  readonly jobsOver: number;
  readonly values: Readonly<Record<string, number>>;
}

const run = promisify(execFile);

export async function takeSample(world: World, startedAt: number, jobsOver: number): Promise<Sample> {
  const processes = [
    ...world.daemons.map((daemon) => ({ id: daemon.id, pid: daemon.pid() })),
    { id: 'nats-server', pid: world.nats.pid() },
  ];
  const values: Record<string, number> = {};
  for (const { id, pid } of processes) {
    values[`rss ${id}`] = rssBytes(pid);
    values[`fds ${id}`] = openFiles(pid);
  }
  Object.assign(values, await storeSizes(world), await diskSizes(world));
  return { atMs: performance.now() - startedAt, jobsOver, values };
}

function rssBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

async function storeSizes({ nc }: World): Promise<Record<string, number>> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const sizes: Record<string, number> = {};
  for await (const { config, state } of jsm.streams.list()) {
    sizes[`bytes ${config.name}`] = state.bytes;
    sizes[`messages ${config.name}`] = state.messages;
  }
  return sizes;
}

/** By folder of the home, and the server's store; what `du` says, for what a file takes is what fills a disk. */
async function diskSizes({ home, nats }: World): Promise<Record<string, number>> {
  const folders = (await readdir(home)).map((name) => join(home, name));
  const { stdout } = await run('du', ['-sk', ...folders, nats.folder]).catch((error: unknown) => {
    // A file went while it was counted.
    if (typeof error === 'object' && error !== null && 'stdout' in error) return { stdout: String(error.stdout) };
    throw error;
  });
  const sizes = stdout.trim().split('\n');
  return Object.fromEntries(
    sizes.map((line) => {
      const [kilobytes = '0', path = ''] = line.split('\t');
      return [`disk ${path === nats.folder ? 'nats' : path.slice(home.length + 1)}`, Number(kilobytes) * 1024];
    }),
  );
}
