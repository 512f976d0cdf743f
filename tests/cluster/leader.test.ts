import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { missingCopies } from '../../src/shared/messaging/provision.ts';
import { STREAMS } from '../../src/shared/messaging/topology.ts';
import { type Load, longestPause, momentsOfProgress, startLoad } from '../support/cluster-load.ts';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { faultsAfter } from '../support/crash/oracle.ts';
import { waitFor } from '../support/crash/run-points.ts';
import { type CrashSystem, startCrashSystemOn } from '../support/crash/system.ts';
import { type ClusterNode, goElsewhere, type NatsCluster, startNatsCluster } from '../support/nats-cluster.ts';

jest.setTimeout(900_000);

const COUNTS = { 'repo-manager': 2, coder: 2, reviewer: 2 };
/** As in earnest. */
const ACK_WAIT_MS = 10_000;
const SUBMIT_EVERY_MS = 1_000;
const FINISHED_WITHIN_MS = 120_000;
/** Goal R3 of three nodes. */
const GOAL_MS = 15_000;
/** What a node that is not gone had handed out comes again only when its lease has ended. */
const GOAL_AND_LEASE_MS = GOAL_MS + ACK_WAIT_MS;

type Change = (leader: ClusterNode) => unknown;
interface Harm {
  readonly name: string;
  readonly harm: Change;
  readonly mend: Change;
  readonly withinMs: number;
}

const HARMS: readonly Harm[] = [
  { name: 'killed', harm: (leader) => leader.kill9(), mend: (leader) => leader.revive(), withinMs: GOAL_MS },
  { name: 'cut off from the others', harm: (leader) => leader.isolate(), mend: (leader) => leader.rejoin(), withinMs: GOAL_AND_LEASE_MS },
  // client.test.ts has what is particular about it.
  ...(process.env['MULTI_AGENT_TEST_LONG'] === '1'
    ? [
        {
          name: 'paused',
          harm: (leader: ClusterNode) => leader.pause(),
          mend: (leader: ClusterNode) => leader.goOn(),
          withinMs: GOAL_AND_LEASE_MS,
        },
      ]
    : []),
];

let built: BuiltPrograms;
let system: CrashSystem<NatsCluster>;

beforeAll(async () => {
  built = await buildPrograms('crash');
  system = await startCrashSystemOn(await startNatsCluster(), built, { counts: COUNTS, ackWaitMs: ACK_WAIT_MS });
});
afterAll(async () => {
  await system.stop();
  await built.remove();
});

describe('the node that leads the inputs, in the middle of many jobs', () => {
  it.each(HARMS)('$name: no job is lost, none is doubled, and they soon go on', async ({ name, harm, mend, withinMs }) => {
    await waitFor(async () => (await missingCopies(system.nc)).length === 0);
    const leader = await system.nats.leaderOf(system.nc, STREAMS.inputs);
    await goElsewhere(system.nc, leader);
    const load = startLoad(system, SUBMIT_EVERY_MS);
    await waitFor(() => isFinished(load, 2));

    const harmedAt = Date.now();
    await harm(leader);
    const before = load.jobs.length;
    await waitFor(() => isFinished(load, before + 2), FINISHED_WITHIN_MS);
    await mend(leader);
    const jobs = await load.stop();

    await Promise.all(jobs.map(({ id }) => system.finished(id, FINISHED_WITHIN_MS)));
    const faults: string[] = [];
    for (const job of jobs) faults.push(...(await faultsAfter(system, job, FINISHED_WITHIN_MS)));
    const pauseMs = longestPause(await momentsOfProgress(system.nc), harmedAt);
    process.stderr.write(`${name}: ${String(jobs.length)} jobs, ${String(faults.length)} faults, longest pause ${String(pauseMs)} ms\n`);
    expect(faults).toEqual([]);
    expect(pauseMs).toBeLessThan(withinMs);
    expect(system.daemons.map((daemon) => daemon.starts())).toEqual(system.daemons.map(() => 1));
  });
});

/** Whether the first `count` of the jobs have come to their end. */
async function isFinished(load: Load, count: number): Promise<boolean> {
  const first = load.jobs.slice(0, count);
  if (first.length < count) return false;
  const records = await Promise.all(first.map(({ id }) => system.job(id).catch(() => undefined)));
  return records.every((job) => job?.status === 'COMPLETED' && job.pending.length === 0);
}
