import { isTerminal } from '../../../src/shared/domain/job.ts';
import { type Chosen, givenLuck, type Luck, randomLuck } from './luck.ts';
import { BrokenRule } from './oracle.ts';
import type { Sabotage } from './sabotage.ts';
import { LONGEST_PAUSE_MS } from './process.ts';
import { createWorld, isAtRest, type World } from './world.ts';

export interface Run {
  readonly broken: BrokenRule | undefined;
  readonly chosen: Chosen;
  /** How long it took in the world (milliseconds). */
  readonly tookMs: number;
}

export interface RunOptions {
  readonly sabotage?: Sabotage | undefined;
  readonly tell?: (line: string) => void;
}

/** How long things may go wrong, and how long everything may then take to come to rest (milliseconds of the world). */
const TROUBLE_MS = 180_000;
const REST_WITHIN_MS = 20 * 60_000;
/** After everything has come to rest, whoever is still paused goes on; then there are two more sweeps, and time for what they find. */
const SWEEPS = 2.2;
/** A person goes on with what has not completed: that many times at most. */
const TURNS = 6;

/** Lives one life of the world: trouble for a while, then everything behaves, comes to rest, and a person brings each job to completion. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Run> {
  return run(randomLuck(seed), options);
}

/** The same, with exactly those misfortunes. */
export async function runAgain(chosen: Chosen, options: RunOptions = {}): Promise<Run> {
  return run(givenLuck(chosen), options);
}

async function run(luck: Luck, { sabotage, tell }: RunOptions): Promise<Run> {
  const world = createWorld({ luck, sabotage, ...(tell ? { tell } : {}) });
  const broken = await live(world, luck).catch((error: unknown) => {
    if (error instanceof BrokenRule) return error;
    throw error;
  });
  return { broken, chosen: luck.chosen, tookMs: world.timeline.now() };
}

async function live(world: World, luck: Luck): Promise<BrokenRule | undefined> {
  const { timeline, oracle, forge, server } = world;
  const isBroken = (): boolean => oracle.broken() !== undefined;
  await timeline.run(TROUBLE_MS, () => isBroken() || isAtRest(world));
  luck.end();
  forge.hosted.isDirty = false;
  forge.hosted.downUntil = 0;
  for (let turn = 0; turn <= TURNS && !isBroken(); turn++) {
    const end = await timeline.run(timeline.now() + REST_WITHIN_MS, () => isBroken() || isAtRest(world));
    if (end !== 'done') throw new BrokenRule('a job ends, or waits for a person', describe(world));
    await timeline.run(timeline.now() + LONGEST_PAUSE_MS + SWEEPS * world.sweepEveryMs, isBroken);
    oracle.lookAround(server, forge);
    if (isBroken() || world.jobIds.every((jobId) => world.job(jobId)?.status === 'COMPLETED')) return oracle.broken();
    for (const jobId of world.jobIds) goOn(world, jobId);
  }
  return oracle.broken() ?? new BrokenRule('a person can bring a job to completion', describe(world));
}

/** What a person does about a job that has not completed. */
function goOn(world: World, jobId: string): void {
  const job = world.job(jobId);
  if (!job || job.status === 'COMPLETED') return;
  if (job.error?.code === 'branch_conflict') {
    // Somebody committed on the job's branch: only they can take that away.
    const ours = job.changeRequest?.headCommit;
    if (ours === undefined) world.forge.hosted.branches.delete(`multi-agent/${jobId}`);
    else world.forge.hosted.branches.set(`multi-agent/${jobId}`, ours);
  }
  world.command(jobId, isTerminal(job.status) ? 'RetryJob' : 'ApproveJob');
}

function describe({ jobIds, job, server }: World): string {
  const left = `${String(server.inputs.messages.size)} inputs, ${String(server.tasks.messages.size)} tasks, ${String(server.requestConsumer.unsettled.size)} requests`;
  return `${left}; ${JSON.stringify(jobIds.map(job))}`;
}
