import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ulid } from 'ulid';
import type { Forge } from '../../../src/shared/forge/forge.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';

jest.setTimeout(60_000);

let system: InProcessSystem;
let repository: string;
/** What a person does just before the job's branch is published. */
let meanwhile: ((head: string) => Promise<void>) | undefined;

beforeEach(async () => {
  system = await startSystem({
    coder: 'node {bin}/coder.mjs',
    reviewer: 'node {bin}/reviewer.mjs',
    wrapContext: (context) => {
      const local = context.forges.local;
      if (!local) throw new Error('no local forge');
      const raced: Forge = {
        ...local,
        publishBranch: async (mirrored, head, ...rest) => {
          const act = meanwhile;
          meanwhile = undefined;
          await act?.(head);
          return local.publishBranch(mirrored, head, ...rest);
        },
      };
      return { ...context, forges: { local: raced } };
    },
  });
  repository = await makeRepository();
});
afterEach(async () => {
  await system.stop();
  await rm(repository, { recursive: true, force: true });
});

async function commitOn(head: string, file: string, text: string): Promise<void> {
  git(repository, 'checkout', '-q', '-B', head, 'main');
  await writeFile(join(repository, file), text);
  git(repository, 'add', '-A');
  git(repository, 'commit', '-q', '-m', 'mine');
  git(repository, 'checkout', '-q', 'main');
}

describe("a person's commit on the job's branch", () => {
  it('is merged with the work, reviewed with it, and lands with it', async () => {
    meanwhile = (head) => commitOn(head, 'mine.txt', 'mine\n');

    const jobId = await system.submit(scriptedRequest(repository));
    const job = await system.finished(jobId);

    expect(job.status).toBe('COMPLETED');
    expect(job.reviews.at(-1)?.headCommit).toBe(job.headCommit);
    expect(git(repository, 'show', 'main:mine.txt')).toBe('mine');
    expect(git(repository, 'log', '--format=%s', 'main')).toContain('mine');
  });

  it('that conflicts with the work stays, and the job goes on once somebody merged the two', async () => {
    meanwhile = (head) => commitOn(head, 'same.txt', 'mine\n');
    const jobId = await system.submit(scriptedRequest(repository, { files: { 'same.txt': 'theirs\n' } }));
    const failed = await system.finished(jobId);
    const head = `multi-agent/${jobId}`;
    git(repository, 'checkout', '-q', head);
    git(repository, 'merge', '-q', '-X', 'ours', failed.headCommit ?? '');
    git(repository, 'checkout', '-q', 'main');

    await system.command({ type: 'RetryJob', jobId });
    const job = await system.jobWhen(jobId, ({ status }) => status === 'COMPLETED');

    expect(failed.error).toMatchObject({ code: 'branch_conflict', message: expect.stringContaining('git merge') });
    expect(job.reviews.at(-1)?.headCommit).toBe(job.headCommit);
    expect(git(repository, 'show', 'main:same.txt')).toBe('mine');
  });
});

describe('a job whose branch is there already', () => {
  it('goes on from it', async () => {
    const jobId = `job-${ulid()}`;
    await commitOn(`multi-agent/${jobId}`, 'same.txt', 'of the job that was lost\n');
    const lost = git(repository, 'rev-parse', `multi-agent/${jobId}`);

    await system.submit({ ...scriptedRequest(repository, { files: { 'same.txt': 'better\n' } }), jobId });
    const job = await system.finished(jobId);

    expect(job.status).toBe('COMPLETED');
    expect(git(repository, 'show', 'main:same.txt')).toBe('better');
    expect(git(repository, 'rev-list', 'main').split('\n')).toContain(lost);
  });
});

describe('a mirror that was lost', () => {
  it('is made again with what an open job needs', async () => {
    const workflow = { merge: 'manual', maxRounds: 3, timeoutMs: 60_000 } as const;
    const jobId = await system.submit({ ...scriptedRequest(repository), workflow });
    const asked = await system.jobWhen(jobId, ({ needs, pending }) => needs?.kind === 'approval' && pending.length === 0);
    await rm(join(system.home, 'mirrors'), { recursive: true });

    await system.command({ type: 'ApproveJob', jobId, headCommit: asked.headCommit ?? '' });
    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'COMPLETED', headCommit: asked.headCommit });
    expect(git(repository, 'rev-list', 'main').split('\n')).toContain(asked.headCommit);
  });
});
