import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { isTerminal, Job } from '../../src/shared/domain/job.ts';
import { openBucket } from '../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../src/shared/messaging/connection.ts';
import { BUCKETS } from '../../src/shared/messaging/topology.ts';
import { startCli } from '../../tests/support/e2e/cli.ts';
import { startNatsCluster } from '../../tests/support/nats-cluster.ts';
import { startNatsServer } from '../../tests/support/nats-server.ts';
import { freePort } from '../../tests/support/pm2-home.ts';
import { daemonsOf, type Processes } from './processes.ts';
import { submitRequest } from '../../tests/support/submit-request.ts';

/** The product as it is built, with runners that cost next to nothing: what is measured is the system's own work. */
export interface SizingSystem {
  readonly home: string;
  /** The daemons and the NATS servers. */
  readonly processes: Processes;
  /** URLs of the servers' monitoring. */
  readonly monitors: readonly string[];
  /** Submits so many jobs at once, spread over the repositories, and waits until all have been merged. @returns seconds */
  run(jobs: number): Promise<number>;
  stop(): Promise<void>;
}

export interface SizingOptions {
  readonly coders: number;
  readonly repositories: number;
  /** 1, or 3 for a cluster. */
  readonly nodes: number;
}

const CODER = '#!/bin/sh\ncat > /dev/null\nmkdir -p work\necho done > "work/$MULTI_AGENT_JOB_ID.txt"\n';
const REVIEWER = '#!/bin/sh\ncat > /dev/null\necho \'{"decision":"APPROVE","summary":"fine","comments":[]}\'\n';

export async function startSizingSystem({ coders, repositories, nodes }: SizingOptions): Promise<SizingSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'ma-sizing-'));
  const nats = await startNats(nodes);
  const home = join(folder, 'home');
  const env = environment(folder, home, nats.url);
  const counts = ['--coders', String(coders), '--reviewers', String(coders)];
  const up = startCli(env, 'up', '--foreground', '--json', ...counts);
  while (!up.stdout().includes('\n')) {
    if (up.child.exitCode !== null) throw new Error(`not up: ${up.stdout()}${up.stderr()}`);
    await delay(50);
  }
  const nc = await connectNats({ url: nats.url, name: 'sizing', patience: 'forever' });
  const paths = Array.from({ length: repositories }, (_, n) => makeRepository(join(folder, `repository-${String(n)}`)));
  return {
    home,
    processes: new Map([...daemonsOf(home), ...nats.pids]),
    monitors: nats.monitors,
    run: (jobs) => runJobs(nc, paths, jobs),
    stop: async () => {
      await nc.close();
      up.child.kill('SIGTERM');
      await up.ended;
      await nats.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface StartedNats {
  readonly url: string;
  readonly monitors: readonly string[];
  readonly pids: readonly (readonly [string, number])[];
  stop(): Promise<void>;
}

async function startNats(nodes: number): Promise<StartedNats> {
  if (nodes === 1) {
    const monitor = `127.0.0.1:${String(await freePort())}`;
    const server = await startNatsServer({ extra: `http: "${monitor}"` });
    return { url: server.url, monitors: [`http://${monitor}`], pids: [['nats-server', server.pid()]], stop: () => server.stop() };
  }
  const cluster = await startNatsCluster({ nodes, monitored: true });
  return {
    url: cluster.url,
    monitors: cluster.nodes.flatMap(({ monitor }) => monitor ?? []),
    pids: cluster.nodes.map((node, n) => [`nats-server-${String(n + 1)}`, node.pid()] as const),
    stop: () => cluster.stop(),
  };
}

function environment(folder: string, home: string, url: string): Record<string, string> {
  const [coder, reviewer] = [join(folder, 'coder.sh'), join(folder, 'reviewer.sh')];
  writeFileSync(coder, CODER);
  writeFileSync(reviewer, REVIEWER);
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    PM2_HOME: join(folder, 'pm2'),
    MULTI_AGENT_HOME: home,
    NATS_URL: url,
    CODER_COMMAND: `sh ${coder}`,
    REVIEWER_COMMAND: `sh ${reviewer}`,
    MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
  };
}

function makeRepository(path: string): string {
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=sizing', '-c', 'user.email=sizing@example.org', ...args], { stdio: 'ignore' });
  git('init', '-q', '-b', 'main', path);
  writeFileSync(join(path, 'README.md'), '# sample\n');
  git('-C', path, 'add', '-A');
  git('-C', path, 'commit', '-q', '-m', 'first');
  return path;
}

async function runJobs(nc: NatsConnection, repositories: readonly string[], count: number): Promise<number> {
  const startedAt = performance.now();
  const submitted = Array.from({ length: count }, (_, n) => submit(nc, repositories[n % repositories.length] ?? ''));
  const ids = await Promise.all(submitted);
  const jobs = await openBucket(nc, BUCKETS.jobs, Job);
  for (const id of ids) await untilMerged(async () => (await jobs.get(id))?.value);
  return (performance.now() - startedAt) / 1_000;
}

async function submit(nc: NatsConnection, repository: string): Promise<string> {
  const jobId = `job-${ulid()}`;
  await submitRequest(nc, jobId, repository);
  return jobId;
}

async function untilMerged(read: () => Promise<Job | undefined>): Promise<void> {
  for (;;) {
    const job = await read();
    if (job && isTerminal(job.status) && job.pending.length === 0) {
      if (job.status !== 'COMPLETED') throw new Error(`${job.id} is ${job.status}: ${JSON.stringify(job.error)}`);
      return;
    }
    await delay(100);
  }
}
