import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';

describe('a whole job', () => {
  let system: InProcessSystem;
  let repository: string;

  beforeAll(async () => {
    system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs changes 1' });
    repository = await makeRepository();
  });
  afterAll(async () => {
    await system.stop();
    await rm(repository, { recursive: true, force: true });
  });

  it('goes from a request to one merge commit, over a round of changes', async () => {
    const jobId = await system.submit({ repository: { kind: 'local', url: repository } });

    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'COMPLETED', phase: 'done', round: 2 });
    expect(job.reviews.map(({ decision }) => decision)).toEqual(['REQUEST_CHANGES', 'APPROVE']);
    expect(git(repository, 'rev-parse', 'main')).toBe(job.changeRequest?.mergeCommit);
    expect(git(repository, 'rev-list', '--first-parent', '--count', 'main')).toBe('2');
    expect(git(repository, 'status', '--porcelain')).toBe('');
    expect(git(repository, 'ls-tree', '--name-only', 'main', 'work/').split('\n')).toEqual([`work/${jobId}-1.txt`, `work/${jobId}-2.txt`]);
  });
});
