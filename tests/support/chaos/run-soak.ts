import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';
import { buildPrograms } from '../built-programs.ts';
import { BEHAVIOURS, SLOW } from './behaviours.ts';
import { createCustomers, type Customers } from './customers.ts';
import { growthsOf } from './flatness.ts';
import { rejectedBy, untilQuiet } from './ending.ts';
import { judge } from './judge.ts';
import { planJobs } from './plan.ts';
import { createRandom } from './random.ts';
import { type Sample, takeSample } from './samples.ts';
import type { SoakOptions } from './soak-options.ts';
import type { SoakReport } from './soak-report.ts';
import { startWorld, type World } from './world.ts';

const COUNTS = { 'repo-manager': 1, coder: 3, reviewer: 2 } as const;
const REPOSITORIES = 6;
const ACK_WAIT_MS = 10_000;
const STALL_MS = 10_000;
/** What runners say may take so much; the product allows 1 GiB, which no run of half an hour reaches. */
const LOGS_LIMIT_BYTES = 4 * 1024 * 1024;
const SAMPLES = 150;
const SAMPLE_EVERY_AT_LEAST_MS = 2_000;
const LOOK_EVERY_MS = 500;
const PATIENCE_MS = 60_000;

/**
 * Has jobs done for as long as is asked for, harming nothing, and looks at what grows.
 *
 * @throws InterruptedError when `signal` aborts; nothing is left then
 */
export async function runSoak(options: SoakOptions, say: (line: string) => void, signal: AbortSignal): Promise<SoakReport> {
  const built = await buildPrograms('chaos');
  try {
    const world = await startWorld(built, {
      counts: COUNTS,
      repositories: REPOSITORIES,
      ackWaitMs: ACK_WAIT_MS,
      stallMs: STALL_MS,
      forgeFaults: 0,
      isNaive: false,
    });
    try {
      return await Promise.race([soak(world, options, say), rejectedBy(signal)]);
    } finally {
      await world.stop();
    }
  } finally {
    await built.remove();
  }
}

async function soak(world: World, options: SoakOptions, say: (line: string) => void): Promise<SoakReport> {
  await limitLogs(world);
  const customers = await createCustomers(world);
  const samples = await work(world, customers, options, say);
  await untilQuiet(customers, PATIENCE_MS);
  const verdict = await judge(world, customers.jobs, say);
  const growths = growthsOf(samples).toSorted((a, b) => Number(a.isFine) - Number(b.isFine));
  const overLimit = await streamsOverLimit(world);
  return {
    seed: options.seed,
    ok: verdict.findings.length === 0 && overLimit.length === 0 && verdict.merged > 0 && growths.every(({ isFine }) => isFine),
    minutes: options.seconds / 60,
    submitted: customers.jobs.length,
    merged: verdict.merged,
    jobsPerMinute: Math.round((customers.jobs.length / options.seconds) * 600) / 10,
    growths,
    overLimit,
    findings: verdict.findings.slice(0, 50),
  };
}

async function work(world: World, customers: Customers, options: SoakOptions, say: (line: string) => void): Promise<Sample[]> {
  const behaviours = BEHAVIOURS.filter(({ name }) => !SLOW.includes(name));
  const plans = planJobs(createRandom(options.seed).apart('jobs'), world.repositories, behaviours);
  const startedAt = performance.now();
  const everyMs = Math.max(SAMPLE_EVERY_AT_LEAST_MS, (options.seconds * 1_000) / SAMPLES);
  const samples: Sample[] = [];
  let sampleAt = startedAt;
  while (performance.now() < startedAt + options.seconds * 1_000) {
    while (customers.open() < options.inFlight) await customers.submit(plans.next().value);
    await Promise.all([customers.look(), delay(LOOK_EVERY_MS)]);
    if (performance.now() < sampleAt) continue;
    sampleAt += everyMs;
    samples.push(await takeSample(world, startedAt, customers.jobs.length - customers.open()));
    if (samples.length % 10 === 0) say(`${customers.jobs.length} jobs, ${samples.length} samples`);
  }
  return samples;
}

/** So that the limit is reached within the run: nothing may come of that but that the oldest goes. */
async function limitLogs({ nc }: World): Promise<void> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  await jsm.streams.update(STREAMS.logs, { max_bytes: LOGS_LIMIT_BYTES });
}

async function streamsOverLimit({ nc }: World): Promise<string[]> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const over: string[] = [];
  for await (const { config, state } of jsm.streams.list()) {
    if (config.max_bytes > 0 && state.bytes > config.max_bytes) over.push(`${config.name}: ${state.bytes} of ${config.max_bytes} bytes`);
  }
  return over;
}
