import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eventually } from '../../support/e2e/processes.ts';
import { writes } from '../../support/e2e/script.ts';
import { type JobJson, JobListShape } from '../../support/e2e/shapes.ts';
import type { Stage } from '../../support/e2e/stage.ts';
import type { Shared } from './shared.ts';

/** Several changes, and a person's own work, in one repository. */
export function mergeScenarios({ stage }: Shared): void {
  it.concurrent('waits for a person whose uncommitted work is in the way, and merges by itself once it is not', async () => {
    const { run, ended, cli, repository } = stage('dirty-tree');
    const readme = join(repository.path, 'README.md');
    writeFileSync(readme, '# unsaved\n');

    const { code, job } = await run({ coder: [{ steps: [writes('README.md', '# better\n')] }] });
    const needsMe = await cli('list-jobs', '--needs-me', '--json');
    const unsaved = readFileSync(readme, 'utf8');
    repository.git('checkout', '--', 'README.md');
    const merged = await ended(job.id);

    expect({ code, status: job.status, phase: job.phase }).toEqual({ code: 6, status: 'WAITING_APPROVAL', phase: 'merging' });
    expect(job.needs).toEqual({
      kind: 'dirty_tree',
      message: expect.stringContaining('README.md'),
      command: expect.stringContaining(repository.path),
    });
    expect(JobListShape.parse(needsMe.json()).jobs.map(({ id }) => id)).toContain(job.id);
    expect(unsaved).toBe('# unsaved\n');
    expect(merged).toMatchObject({ status: 'COMPLETED', changeRequest: { merged: true } });
    expect(merged.needs).toBeUndefined();
    expect(readFileSync(readme, 'utf8')).toBe('# better\n');
    expect(repository.git('status', '--porcelain')).toBe('');
    expect(repository.firstParents()).toHaveLength(2);
  });

  it.concurrent('merges six jobs that conflict on one file, each as one commit, through conflict rounds', async () => {
    const { submit, ended, cli, gate, runs, repository } = stage('six-conflicts', { 'shared.txt': 'top\nbottom\n' });
    const submitted = gate('submitted');
    const numbers = [1, 2, 3, 4, 5, 6];
    // All of them start from the same base: none ends before the last one is there.
    const ids: string[] = [];
    for (const number of numbers) {
      const text = `top\nline ${number}\nbottom\n`;
      const steps = [{ waitFor: submitted.path }, writes('shared.txt', text)];
      ids.push((await submit({ coder: [{ when: { conflict: true }, steps: [{ resolve: true }] }, { steps }] })).id);
    }
    await eventually('all of them prepared', async () => (await startingPoints(cli, ids)).length === numbers.length);

    submitted.open();
    const jobs: JobJson[] = [];
    for (const id of ids) jobs.push(await ended(id));

    expect(jobs.map(({ status, error }) => ({ status, error }))).toEqual(numbers.map(() => ({ status: 'COMPLETED', error: undefined })));
    expect(repository.firstParents()).toHaveLength(7);
    expect(repository.fileOn('main', 'shared.txt')?.split('\n').sort()).toEqual([
      'bottom',
      ...numbers.map((number) => `line ${number}`),
      'top',
    ]);
    expect(jobs.filter(({ conflictRounds }) => conflictRounds > 0)).toHaveLength(5);
    expect(runs().find(({ conflict }) => conflict)?.context.conflicts).toMatchObject([{ path: 'shared.txt' }]);
    expect(repository.branches()).toEqual(['main']);
    expect(repository.git('status', '--porcelain')).toBe('');
  });
}

/** The base commits of those that a repo-manager has looked at. */
async function startingPoints(cli: Stage['cli'], ids: readonly string[]): Promise<unknown[]> {
  const { jobs } = JobListShape.parse((await cli('list-jobs', '--limit', '100', '--json')).json());
  return jobs.filter(({ id }) => ids.includes(id)).flatMap((job) => job['baseCommit'] ?? []);
}
