import { cp } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { untilAnswered } from '../../../src/shared/messaging/until-answered.ts';
import { buildPrograms } from '../built-programs.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { type ChaosReport, reportOf } from './chaos-report.ts';
import { createCustomers, type Customers } from './customers.ts';
import { rejectedBy, untilQuiet } from './ending.ts';
import { readEvents } from './event-history.ts';
import { startHarming } from './harm.ts';
import { judge } from './judge.ts';
import { planJobs } from './plan.ts';
import { createRandom } from './random.ts';
import { recoveryOf } from './recovery.ts';
import { startWorld, type World } from './world.ts';

const COUNTS = { 'repo-manager': 2, coder: 6, reviewer: 3 } as const;
const REPOSITORIES = 20;
const ACK_WAIT_MS = 2_000;
const STALL_MS = 3_000;
const FORGE_FAULTS = 0.1;
/** Holds what a run of the long form stores; a filler takes the rest. */
const DISK_BYTES = 512 * 1024 * 1024;
const LOOK_EVERY_MS = 700;
const TOLD_EVERY_MS = 10_000;

/**
 * Harms a system for as long as is asked for, mends it, waits until nothing moves any more, and judges what is there.
 *
 * @throws InterruptedError when `signal` aborts; nothing is left then
 */
export async function runChaos(options: ChaosOptions, say: (line: string) => void, signal: AbortSignal): Promise<ChaosReport> {
  const startedAt = performance.now();
  const built = await buildPrograms('chaos');
  try {
    const world = await startWorld(built, {
      counts: COUNTS,
      repositories: REPOSITORIES,
      ackWaitMs: ACK_WAIT_MS,
      stallMs: STALL_MS,
      forgeFaults: options.harm.has('forge') ? FORGE_FAULTS : 0,
      isNaive: options.isNaive,
      diskBytes: DISK_BYTES,
    });
    try {
      const report = await Promise.race([play(world, options, say, startedAt), rejectedBy(signal)]);
      if (!report.ok && options.keepIn !== undefined) await cp(world.folder, options.keepIn, { recursive: true });
      return report;
    } finally {
      await world.stop();
    }
  } finally {
    await built.remove();
  }
}

async function play(world: World, options: ChaosOptions, say: (line: string) => void, startedAt: number): Promise<ChaosReport> {
  const random = createRandom(options.seed);
  const customers = await createCustomers(world);
  say(`seed ${options.seed}: ${world.daemons.length} daemons, ${world.repositories.length} repositories`);
  const harming = startHarming(world, random.apart('harm'), options);
  const chaosFrom = performance.now();
  await keepBusy(world, customers, options, say);
  const chaosSeconds = (performance.now() - chaosFrom) / 1_000;
  await harming.stop();
  say(`mended; ${customers.open()} jobs are not over`);
  await untilQuiet(customers, options.patienceMs);
  say(`${customers.open()} jobs are not over; looking at what is there`);
  // Our own connection may still be on its way back to the server that was just killed.
  const verdict = await untilAnswered(() => judge(world, customers.jobs, say, harming.done));
  const recovery = recoveryOf(await untilAnswered(() => readEvents(world.nc)), harming.done);
  const seconds = (performance.now() - startedAt) / 1_000;
  return reportOf({ world, options, jobs: customers.jobs, done: harming.done, verdict, recovery, chaosSeconds, seconds });
}

/** As many jobs under way as are wanted, until the time is up or enough were handed in and are over. */
async function keepBusy(world: World, customers: Customers, options: ChaosOptions, say: (line: string) => void): Promise<void> {
  const plans = planJobs(createRandom(options.seed).apart('jobs'), world.repositories);
  const endAt = performance.now() + options.seconds * 1_000;
  const submitting = new Set<Promise<void>>();
  let left = options.jobs;
  let tellAt = performance.now() + TOLD_EVERY_MS;
  while (performance.now() < endAt && (left > 0 || customers.open() + submitting.size > 0)) {
    while (left > 0 && customers.open() + submitting.size < options.inFlight) {
      const submission: Promise<void> = customers.submit(plans.next().value).finally(() => submitting.delete(submission));
      submitting.add(submission);
      left -= 1;
    }
    await Promise.all([customers.look(), delay(LOOK_EVERY_MS)]);
    if (performance.now() > tellAt) {
      tellAt += TOLD_EVERY_MS;
      say(`${customers.jobs.length} handed in, ${customers.jobs.length - customers.open()} over`);
    }
  }
  // What was handed in has been acknowledged: nobody can tell what became of a request that is still under way.
  await Promise.all(submitting);
}
