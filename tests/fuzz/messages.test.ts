import { rm } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDeadLetterBox } from '../../src/shared/messaging/dead-letter-box.ts';
import { scriptedRequest } from '../support/feature-script.ts';
import { flood, unsettled } from '../support/fuzz/flood.ts';
import { AGAIN, SEED, size } from '../support/fuzz/scale.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../support/in-process-system.ts';
import { until } from '../support/until.ts';

const MESSAGES = size(20_000, 1_500);
const DRAINED_WITHIN_MS = 150_000;
/** What a heap may grow by over three quarters of the flood (bytes): far less than the messages themselves take. */
const GROWTH = 24 * 1024 * 1024;

describe(`malformed messages on every subject (${AGAIN})`, () => {
  let system: InProcessSystem;
  let repository: string;
  const crashes: unknown[] = [];
  const onCrash = (reason: unknown): void => void crashes.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', onCrash).on('uncaughtExceptionMonitor', onCrash);
    repository = await makeRepository();
    system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs' });
  });
  afterAll(async () => {
    await system.stop();
    process.off('unhandledRejection', onCrash).off('uncaughtExceptionMonitor', onCrash);
    await rm(repository, { recursive: true, force: true });
  });

  it(`end nothing, pile up nowhere, and ${String(MESSAGES)} of them leave no trace in memory`, async () => {
    let ended = false;
    void Promise.race([system.repoManager.closed, ...system.agents.map(({ closed }) => closed)]).then(() => {
      ended = true;
    });

    await flood(system.nc, Math.ceil(MESSAGES / 4), SEED);
    await until('the queues are empty', async () => (await unsettled(system.nc)) === 0, DRAINED_WITHIN_MS);
    const early = heap();
    await flood(system.nc, Math.ceil((MESSAGES * 3) / 4), SEED + 1_000);
    await until('the queues are empty', async () => (await unsettled(system.nc)) === 0, DRAINED_WITHIN_MS);
    const late = heap();

    expect(crashes).toEqual([]);
    expect(ended).toBe(false);
    expect(late - early).toBeLessThan(GROWTH);
    const box = await openDeadLetterBox(system.nc);
    expect((await box.list(10)).length).toBe(10);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('leave a system in which a job is merged, swept and tidied up as ever', async () => {
    const jobId = await system.submit(scriptedRequest(repository));

    const job = await system.finished(jobId, 60_000);

    expect(job.status).toBe('COMPLETED');
    expect(git(repository, 'log', '--merges', '--format=%s', 'main')).toContain('Merge: A feature');
  });

  it('keep no agent from starting', async () => {
    const another = await system.startCoder(2);

    await another.stop(AbortSignal.timeout(1_000));

    expect(crashes).toEqual([]);
  });
});

/** What is in use after everything that can be freed was (bytes). */
function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
