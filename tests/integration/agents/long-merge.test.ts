import { existsSync } from 'node:fs';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_WORKFLOW } from '../../../src/shared/domain/feature.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

const MANUAL = { ...DEFAULT_WORKFLOW, merge: 'manual' } as const;

let system: InProcessSystem;
let place: ReturnType<typeof temporaryDirectory>;
const repositories: string[] = [];

beforeAll(async () => {
  system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs' });
  place = temporaryDirectory('long-merge');
});
afterAll(async () => {
  await system.stop();
  place.remove();
});
afterEach(async () => {
  await Promise.all(repositories.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
});

/** A repository whose check says that it has begun, and goes on, while there is a file `hold`. */
async function heldRepository(name: string): Promise<{ repository: string; hold: string; began: string }> {
  const [hold, began] = [join(place.path, `${name}.hold`), join(place.path, `${name}.began`)];
  const check = `sh -c "test ! -e ${hold} || touch ${began}; while [ -e ${hold} ]; do sleep 0.05; done"`;
  const repository = await makeRepository({ '.multi-agent.json': JSON.stringify({ checks: [check] }), 'README.md': '# sample\n' });
  repositories.push(repository);
  return { repository, hold, began };
}

/** Approved, and kept from being merged by a file of the user's. */
async function waitingForCleanTree(repository: string): Promise<string> {
  await appendFile(join(repository, 'README.md'), 'mine\n');
  const jobId = await system.submit(scriptedRequest(repository, { files: { 'a.txt': 'a\n' } }));
  await system.jobWhen(jobId, ({ needs }) => needs?.kind === 'dirty_tree');
  return jobId;
}

describe('a merge whose checks take long', () => {
  it('is given up when somebody stops the job', async () => {
    const { repository, hold, began } = await heldRepository('stopped');
    const jobId = await system.submit({ ...scriptedRequest(repository), workflow: MANUAL });
    await system.jobWhen(jobId, ({ status }) => status === 'WAITING_APPROVAL');
    await writeFile(hold, '');
    await system.command({ type: 'ApproveJob', jobId });
    await until('the checks run', () => existsSync(began));

    await system.command({ type: 'StopJob', jobId });
    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'CANCELLED', stoppedPhase: 'merging' });
    expect(job.delay).toBeUndefined();
    expect(git(repository, 'rev-list', '--count', 'main')).toBe('1');
    await until('the check is ended', () => pidsWith('MULTI_AGENT_RUN=repo-manager-1:merge').length === 0);
  });

  it('holds up no other job that waits for the sweep', async () => {
    const slow = await heldRepository('slow');
    const quick = await heldRepository('quick');
    const slowJob = await waitingForCleanTree(slow.repository);
    const quickJob = await waitingForCleanTree(quick.repository);
    await writeFile(slow.hold, '');
    // One step: the base moves, so that its checks run anew, and the tree is clean.
    git(slow.repository, 'commit', '-q', '--all', '-m', 'mine');
    await until('the checks run', () => existsSync(slow.began), 20_000);

    git(quick.repository, 'checkout', '--', 'README.md');
    const merged = await system.finished(quickJob);

    expect(merged.status).toBe('COMPLETED');
    expect((await system.job(slowJob))?.status).toBe('WAITING_APPROVAL');
    await rm(slow.hold);
    await system.finished(slowJob);
  });
});
