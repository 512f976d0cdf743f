import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Job } from '../../../src/shared/domain/job.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { BUCKETS, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { git } from '../in-process-system.ts';
import { messageOf } from '../../../src/shared/errors/errors.ts';
import type { CrashSystem, NatsService, SubmittedJob } from './system.ts';

type AnySystem = CrashSystem<NatsService>;

/** How long what is left over may take to go: a message of a task that ended comes once more when its lease has run out. */
const SETTLED_WITHIN_MS = 15_000;
/** A look asks the server, git and every process: often enough, and not more. */
const LOOK_EVERY_MS = 200;

/**
 * What is wrong after a job whose daemons were harmed: nothing, if all is well. The job is over as it should be, each of its
 * effects happened once, and nothing is left of it anywhere.
 */
export async function faultsAfter(system: AnySystem, submitted: SubmittedJob, withinMs?: number): Promise<string[]> {
  try {
    const job = await system.finished(submitted.id, withinMs);
    const left = await leftOvers(system, submitted);
    if (job.status !== 'COMPLETED') return [`${job.status}: ${JSON.stringify(job.error)}`, ...left];
    return [...(await faultsOf(system, submitted, job)), ...left];
  } catch (error) {
    return [messageOf(error)];
  }
}

async function faultsOf(system: AnySystem, { id, repository, rounds }: SubmittedJob, job: Job): Promise<string[]> {
  const facts: Record<string, readonly [unknown, unknown]> = {
    round: [job.round, rounds],
    'reviews in the record': [job.reviews.length, rounds],
    'first-parent commits': [git(repository, 'rev-list', '--first-parent', '--count', 'main'), '2'],
    'the newest commit': [git(repository, 'rev-parse', 'main'), job.changeRequest?.mergeCommit],
    'its second parent': [git(repository, 'rev-parse', 'main^2'), job.headCommit],
    'files of the change': [git(repository, 'ls-tree', '--name-only', 'main', 'work/').split('\n').length, rounds],
    'the working tree': [git(repository, 'status', '--porcelain'), ''],
    ...recordFacts(system.home, id, rounds),
    ...(await eventFacts(system, id, rounds)),
  };
  return Object.entries(facts).flatMap(([what, [found, expected]]) =>
    found === expected ? [] : [`${what}: ${String(found)}, and not ${String(expected)}`],
  );
}

/** The forge's own records: one change request of the job, each verdict once. */
function recordFacts(home: string, jobId: string, rounds: number): Record<string, readonly [unknown, unknown]> {
  const records = readdirSync(join(home, 'forge')).map((key) => join(home, 'forge', key, jobId));
  const record = records.filter((folder) => existsSync(folder));
  const reviews = record.flatMap((folder) => readdirSync(join(folder, 'reviews')).filter((name) => !name.startsWith('.')));
  return { 'change requests': [record.length, 1], 'reviews of the change request': [reviews.length, rounds] };
}

/** What was told: each fact once. */
async function eventFacts(system: AnySystem, jobId: string, rounds: number): Promise<Record<string, readonly [unknown, unknown]>> {
  const jsm = await jetstreamManager(system.nc, { checkAPI: false });
  const { state } = await jsm.streams.info(STREAMS.events, { subjects_filter: subjects.eventsOf(jobId) });
  const told = (type: string): number => state.subjects?.[subjects.event(jobId, type)] ?? 0;
  return {
    'JobAccepted told': [told('JobAccepted'), 1],
    'ImplementationFinished told': [told('ImplementationFinished'), rounds],
    'ReviewFinished told': [told('ReviewFinished'), rounds],
    'FeatureResult told': [told('FeatureResult'), 1],
  };
}

/** What of the job is left on the server and on the disk when it has had time to go. */
export async function leftOvers(system: AnySystem, submitted: SubmittedJob): Promise<string[]> {
  const giveUpAt = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const left = await lookForLeftOvers(system, submitted).catch((error: unknown) => [messageOf(error)]);
    if (left.length === 0 || performance.now() > giveUpAt) return left;
    await delay(LOOK_EVERY_MS);
  }
}

async function lookForLeftOvers(system: AnySystem, { id, repository }: SubmittedJob): Promise<string[]> {
  const jsm = await jetstreamManager(system.nc, { checkAPI: false });
  const messages = async (stream: string): Promise<number> => (await jsm.streams.info(stream)).state.messages;
  // Read from the stream itself: a fault of the bucket's own listing is not to be a fault of its test.
  const keys = async (bucket: string): Promise<string[]> =>
    Object.keys((await jsm.streams.info(`KV_${bucket}`, { subjects_filter: `$KV.${bucket}.>` })).state.subjects ?? {});
  const left: Record<string, readonly (string | number)[]> = {
    claims: await keys(BUCKETS.claims),
    open: await keys(BUCKETS.open),
    locks: await keys(BUCKETS.locks),
    TASKS: numberOf(await messages(STREAMS.tasks)),
    INPUTS: numberOf(await messages(STREAMS.inputs)),
    DEAD: numberOf(await messages(STREAMS.dead)),
    worktrees: await readdir(join(system.home, 'worktrees')),
    pins: pinsOf(system.home, id),
    processes: runnersOf(system.home),
    // One that was paused may make it once more, and takes it away when it looks again.
    branches: git(repository, 'for-each-ref', '--format=%(refname)')
      .split('\n')
      .filter((ref) => ref !== 'refs/heads/main'),
  };
  return Object.entries(left).flatMap(([what, found]) => (found.length === 0 ? [] : [`left in ${what}: ${found.join(', ')}`]));
}

function numberOf(messages: number): string[] {
  return messages === 0 ? [] : [`${String(messages)} messages`];
}

function pinsOf(home: string, jobId: string): string[] {
  const folders = readdirSync(join(home, 'mirrors')).map((name) => join(home, 'mirrors', name, 'refs/multi-agent', jobId));
  return folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
}

/** The processes of runners and checks of this system, wherever they went. */
function runnersOf(home: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isRunner(name, home));
}

function isRunner(pid: string, home: string): boolean {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const isDead = /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return (
      !isDead && variables.includes(`MULTI_AGENT_SYSTEM=${home}`) && variables.some((variable) => variable.startsWith('MULTI_AGENT_RUN='))
    );
  } catch {
    return false;
  }
}
