import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { STREAMS } from '../../src/shared/messaging/topology.ts';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { faultsAfter } from '../support/crash/oracle.ts';
import { type CrashPoint, nameOf } from '../support/crash/points.ts';
import { type PointResult, runPoints, waitFor } from '../support/crash/run-points.ts';
import { type CrashSystem, type Role, startCrashSystem, type SubmittedJob } from '../support/crash/system.ts';

jest.setTimeout(900_000);

/** A job may have to wait for several leases of a paused daemon, and for its lock on the base (10 s). */
const WITHIN_MS = 60_000;

/** Where a daemon is paused past its lease while another one of its role goes on with the job. */
const POINTS: readonly CrashPoint[] = [
  ...pausedAt('coder', 'after', ['put claims', 'publish TaskStarted']),
  ...pausedAt('coder', 'before', ['runner run', 'bundles put', 'publish ImplementationResult', 'ack']),
  ...pausedAt('reviewer', 'after', ['put claims']),
  ...pausedAt('reviewer', 'before', ['runner run', 'publish ReviewResult', 'ack']),
  ...pausedAt('repo-manager', 'before', ['put jobs', 'put open', 'publish task.coder', 'publish task.reviewer', 'delete KV_open']),
  ...pausedAt('repo-manager', 'before', ['forge listCommits', 'forge publishBranch', 'forge openChangeRequest', 'forge postReview']),
  ...pausedAt('repo-manager', 'before', ['git merge-tree', 'forge land', 'git read-tree', 'send ack']),
  ...pausedAt('repo-manager', 'after', ['forge land']),
  { role: 'repo-manager', at: 'before', call: 'git update-ref', nth: 2 },
];

const only = process.env['CRASH_POINTS'];
const CHOSEN = POINTS.filter((point) => only === undefined || nameOf(point).includes(only));

let built: BuiltPrograms;

beforeAll(async () => {
  built = await buildPrograms('crash');
});
afterAll(() => built.remove());

describe('a daemon paused past its lease', () => {
  let results: Map<string, PointResult>;

  beforeAll(async () => {
    const counts = { 'repo-manager': 2, coder: 2, reviewer: 2 };
    results = await runPoints(built, CHOSEN, { counts, harm: 'pause', withinMs: WITHIN_MS, afterwards: goOnLate });
  });

  it.each(CHOSEN.map(nameOf))('and let go on when another has finished: %s', (name) => {
    const result = results.get(name);

    expect(result?.faults.join('\n')).toBe('');
    expect(result?.fired).toBe(true);
  });
});

describe('a coder paused before it sends its result', () => {
  let system: CrashSystem;

  beforeAll(async () => {
    system = await startCrashSystem(built, { counts: { coder: 2 } });
  });
  afterAll(() => system.stop());

  it('is too late while another has the task: its result is dropped, and the task stays with the other', async () => {
    system.arm('coder', { call: 'publish ImplementationResult', at: 'before', harm: 'pause' });
    system.hold('hold-2');
    const job = await system.submit();
    await waitFor(() => system.hasFired('coder'));
    await waitFor(async () => (await system.job(job.id))?.task?.attempt === 2);

    signalAll(system, 'coder', 'SIGCONT');
    await waitFor(() => system.calls('coder').includes('after publish ImplementationResult'));
    await waitFor(async () => !(await hasInputs(system)));
    // The daemon goes on with what it does after its report: that must not be to take the other's message away.
    await system.submit().then((other) => system.finished(other.id));

    expect(await system.job(job.id)).toMatchObject({ phase: 'implementing', task: { attempt: 2 } });
    expect(await hasTask(system)).toBe(true);
    system.letGo('hold-2');
    expect(await faultsAfter(system, job)).toEqual([]);
  });
});

/** The other one brings the job to its end, if it can; then the paused one goes on where it was. */
async function goOnLate(system: CrashSystem, point: CrashPoint, { id }: SubmittedJob): Promise<void> {
  await waitFor(() => system.hasFired(point.role));
  await system.finished(id, WITHIN_MS).catch(() => undefined);
  signalAll(system, point.role, 'SIGCONT');
}

function signalAll(system: CrashSystem, role: Role, signal: NodeJS.Signals): void {
  for (const daemon of system.daemons) if (daemon.id.startsWith(role)) daemon.signal(signal);
}

async function hasInputs(system: CrashSystem): Promise<boolean> {
  return (await messagesIn(system, STREAMS.inputs)) > 0;
}

async function hasTask(system: CrashSystem): Promise<boolean> {
  return (await messagesIn(system, STREAMS.tasks)) > 0;
}

async function messagesIn(system: CrashSystem, stream: string): Promise<number> {
  const jsm = await jetstreamManager(system.nc, { checkAPI: false });
  return (await jsm.streams.info(stream)).state.messages;
}

function pausedAt(role: Role, at: CrashPoint['at'], calls: readonly string[]): CrashPoint[] {
  return calls.map((call) => ({ role, at, call }));
}
