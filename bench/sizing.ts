/**
 * `npm run sizing`: what a job costs the system itself (runners cost next to nothing here), how it grows with coders, and what so many
 * jobs a day need. `--coders 1,2,4` `--jobs 40` `--repositories 4` `--nodes 1|3` `--json`.
 */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { estimate, type Measured } from './sizing/estimate.ts';
import { cpuByRole, usageOf } from './sizing/processes.ts';
import { type SizingOptions, startSizingSystem } from './sizing/system.ts';
import { readTraffic, type Traffic, trafficBetween } from './sizing/traffic.ts';

const IDLE_SECONDS = 10;
/** Mirrors and caches of the repositories are made by the first jobs. */
const WARM_UP_JOBS = 4;
const JOBS_PER_DAY = [100, 1_000, 10_000, 100_000];

interface Run extends SizingOptions, Measured {
  readonly jobs: number;
  readonly seconds: number;
  readonly jobsPerSecond: number;
  /** Of the machine, while the jobs ran: above the number of its processors, others had a share in the time. */
  readonly load: number;
}

const { values } = parseArgs({
  options: {
    coders: { type: 'string', default: '1,2,4' },
    jobs: { type: 'string', default: '40' },
    repositories: { type: 'string', default: '4' },
    nodes: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const runs: Run[] = [];
for (const coders of values.coders.split(',').map(Number)) {
  const options = { coders, repositories: Number(values.repositories), nodes: Number(values.nodes) };
  runs.push(await measure(options, Number(values.jobs)));
  process.stderr.write(`${JSON.stringify(runs.at(-1))}\n`);
}
const last = runs.at(-1);
const estimates = last === undefined ? [] : JOBS_PER_DAY.map((jobs) => estimate(last, jobs));
if (values.json) process.stdout.write(`${JSON.stringify({ cores: cpus().length, cpu: cpus()[0]?.model, runs, estimates })}\n`);
else print();

async function measure(options: SizingOptions, jobs: number): Promise<Run> {
  const system = await startSizingSystem(options);
  try {
    await system.run(WARM_UP_JOBS);
    const idleCpu = usageOf(system.processes);
    const idleTraffic = await readTraffic(system.monitors);
    await delay(IDLE_SECONDS * 1_000);
    const [cpu, traffic, homeBytes] = [usageOf(system.processes), await readTraffic(system.monitors), sizeOf(system.home)];

    const seconds = await system.run(jobs);

    const after = usageOf(system.processes);
    const passed = trafficBetween(traffic, await readTraffic(system.monitors));
    const idle = perSecond(trafficBetween(idleTraffic, traffic));
    const agents = 2 * options.coders;
    return {
      ...options,
      jobs,
      seconds: round(seconds),
      jobsPerSecond: round(jobs / seconds),
      cpuSecondsPerJob: mapValues(cpuByRole(cpu, after), (value) => round(value / jobs)),
      cpuOfIdleAgent: round(sum(cpuByRole(idleCpu, cpu)) / IDLE_SECONDS / (agents + 1)),
      rssBytes: rssByRole(after),
      // What agents without work cost meanwhile is in it: busy ones ask for no tasks, so it can't be told apart.
      messagesPerJob: Math.round((passed.messagesIn + passed.messagesOut) / jobs),
      bytesPerJob: Math.round((passed.bytesIn + passed.bytesOut) / jobs),
      messagesPerIdleAgentSecond: round((idle.messagesIn + idle.messagesOut) / (agents + 1)),
      natsBytesPerJob: Math.round(passed.storedBytes / jobs),
      homeBytesPerJob: Math.round((sizeOf(system.home) - homeBytes) / jobs),
      load: round(loadavg()[0] ?? 0),
    };
  } finally {
    await system.stop();
  }
}

function perSecond(traffic: Traffic): Traffic {
  return mapValues({ ...traffic }, (value) => value / IDLE_SECONDS);
}

function rssByRole(usage: ReturnType<typeof usageOf>): Record<string, number> {
  const largest: Record<string, number> = {};
  for (const [name, { rssBytes }] of usage) {
    const role = name.replace(/-\d+$/, '');
    largest[role] = Math.max(largest[role] ?? 0, rssBytes);
  }
  return largest;
}

function sizeOf(folder: string): number {
  return Number(execFileSync('du', ['-sb', '--exclude=logs', folder], { encoding: 'utf8' }).split('\t')[0]);
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}

function mapValues<T extends Record<string, number>>(record: T, change: (value: number) => number): T {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)])) as T;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function print(): void {
  const line = (text: string): void => void process.stdout.write(`${text}\n`);
  line(`${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}`);
  line(
    '| coders | jobs/s | CPU s a job | of it repo-manager / coder / reviewer / NATS | messages a job | KB a job | an idle agent: messages/s | CPU | load |',
  );
  line('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const run of runs) {
    const cpu = run.cpuSecondsPerJob;
    const parts = ['repo-manager', 'coder', 'reviewer', 'nats-server'].map((role) => (cpu[role] ?? 0).toFixed(2)).join(' / ');
    line(
      `| ${[run.coders, run.jobsPerSecond, sum(cpu).toFixed(2), parts, run.messagesPerJob, Math.round(run.bytesPerJob / 1_000), run.messagesPerIdleAgentSecond, run.cpuOfIdleAgent, run.load].join(' | ')} |`,
    );
  }
  line('');
  line('| jobs a day | coders | reviewers | cores | agents MB | messages/s | NATS GB in 30 days | home GB in 30 days |');
  line('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const e of estimates) {
    const gb = (bytes: number): string => (bytes / 1e9).toFixed(2);
    line(
      `| ${[e.jobsPerDay, e.coders, e.reviewers, e.cores.toFixed(2), Math.round(e.agentsMemoryBytes / 1e6), Math.round(e.messagesPerSecond), gb(e.natsDiskBytesPer30Days), gb(e.homeDiskBytesPer30Days)].join(' | ')} |`,
    );
  }
}
