import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Moment } from '../support/crash/armed-point.ts';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { faultsAfter } from '../support/crash/oracle.ts';
import { waitFor } from '../support/crash/run-points.ts';
import { type CrashSystem, startCrashSystem } from '../support/crash/system.ts';
import { git, makeRepository } from '../support/in-process-system.ts';

jest.setTimeout(900_000);

/** No input is redelivered for what a sweep decided: only another sweep can find what it left. */
describe('a repo-manager killed while its sweep merges what waited for a clean tree', () => {
  let built: BuiltPrograms;
  let system: CrashSystem;
  const repositories: string[] = [];

  beforeAll(async () => {
    built = await buildPrograms('crash');
    system = await startCrashSystem(built);
  });
  afterAll(async () => {
    await system.stop();
    await built.remove();
    await Promise.all(repositories.map((repository) => rm(repository, { recursive: true, force: true })));
  });

  it.each<[Moment, string]>([
    ['before', 'effect MergeChange'],
    ['done', 'effect MergeChange'],
    ['recorded', 'effect MergeChange'],
    ['before', 'delete KV_open'],
    ['after', 'delete KV_open'],
    ['recorded', 'effect CloseJob'],
  ])('%s %s', async (at, call) => {
    const repository = await makeRepository();
    repositories.push(repository);
    writeFileSync(join(repository, 'README.md'), 'being edited\n');
    const job = await system.submit({ repository });
    await waitFor(async () => (await system.job(job.id))?.needs?.kind === 'dirty_tree');

    system.arm('repo-manager', { call, at, harm: 'kill' });
    git(repository, 'checkout', 'README.md');

    expect(await faultsAfter(system, job, 15_000)).toEqual([]);
    expect(system.hasFired('repo-manager')).toBe(true);
    system.disarm('repo-manager');
  });
});
