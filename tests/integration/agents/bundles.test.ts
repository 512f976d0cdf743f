import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { taskIdOf } from '../../../src/shared/domain/ids.ts';
import { bundleName, openBundleStore } from '../../../src/shared/messaging/bundle-store.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { until } from '../../support/until.ts';

describe('the bundles of a job', () => {
  let system: InProcessSystem;
  const repositories: string[] = [];

  beforeAll(async () => {
    system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs changes 1' });
  });
  afterAll(async () => {
    await system.stop();
    await Promise.all(repositories.map((repository) => rm(repository, { recursive: true, force: true })));
  });

  it.each([
    ['was sent back and merged', 'Do it.', 'COMPLETED'],
    ['failed', { exit: 1 }, 'FAILED'],
  ])('are all gone, without a trace, after it %s', async (_what, script, status) => {
    const repository = await makeRepository();
    repositories.push(repository);
    const job = await system.finished(await system.submit(scriptedRequest(repository, script)));

    const jsm = await jetstreamManager(system.nc);
    const messages = async (): Promise<number> => (await jsm.streams.info(`OBJ_${BUCKETS.bundles}`)).state.messages;

    // What an attempt stored that was killed before it could say so, and a dispatch that nobody took up.
    const store = await openBundleStore(system.nc, 'coder-9');
    for (const kind of ['in', 'out', 'wip'] as const)
      await store.put(bundleName('app', taskIdOf(job.id, 'coder', 7), '1', kind), Buffer.from('left'), Buffer.alloc(32), '0'.repeat(40));

    expect(job.status).toBe(status);
    expect(await messages()).toBeGreaterThanOrEqual(3);
    await until('no message in the bucket of bundles', async () => (await messages()) === 0, 8_000);
  });
});
