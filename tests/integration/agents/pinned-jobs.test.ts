import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { pinnedJobs } from '../../../src/agents/repo-manager/pinned-jobs.ts';
import { sweepAtStart } from '../../../src/agents/repo-manager/sweep.ts';
import { openMirror } from '../../../src/shared/git/mirror.ts';
import { writeEmptyCommit } from '../../../src/shared/git/objects.ts';
import { listPins, pin } from '../../../src/shared/git/refs.ts';
import { makeDirectory } from '../git/fixtures.ts';

const [MERGED, FAILED, UNKNOWN, UNREADABLE] = ['1', '2', '3', '4'].map((digit) => `job-01ARZ3NDEKTSV4RRFFQ69G5F0${digit}`) as [
  string,
  string,
  string,
  string,
];

let home: { path: string; remove: () => Promise<void> };

beforeEach(async () => {
  home = await makeDirectory();
});
afterEach(() => home.remove());

/** Two repositories; the first keeps a commit of each job, the second of the merged one alone. */
async function mirrors() {
  const opened = await Promise.all(['a', 'b'].map((name) => openMirror(path.join(home.path, 'mirrors', `${name}.git`))));
  for (const [index, git] of opened.entries()) {
    const commit = await writeEmptyCommit(git, { message: 'x', at: 0 }, 40);
    for (const jobId of index === 0 ? [MERGED, FAILED, UNKNOWN, UNREADABLE] : [MERGED]) await pin(git, jobId, 1, commit);
  }
  return opened;
}

function contextOf(warnings: unknown[]): RepoManagerContext {
  const statuses: Record<string, string> = { [MERGED]: 'COMPLETED', [FAILED]: 'FAILED' };
  return {
    forges: {},
    pinnedJobs: () => pinnedJobs(home.path),
    store: {
      load: (jobId: string) => {
        if (jobId === UNREADABLE) return Promise.reject(new Error('unreadable'));
        return Promise.resolve(statuses[jobId] === undefined ? null : { value: { status: statuses[jobId] } });
      },
    },
    log: { warn: (fields: unknown) => warnings.push(fields) },
  } as unknown as RepoManagerContext;
}

describe('what mirrors keep', () => {
  it('is let go of where the job was merged, and nowhere else', async () => {
    const [a, b] = await mirrors();
    const warnings: unknown[] = [];

    await sweepAtStart(contextOf(warnings), new AbortController().signal);

    expect(a && (await listPins(a)).map(({ jobId }) => jobId)).toEqual([FAILED, UNKNOWN, UNREADABLE]);
    expect(b && (await listPins(b))).toEqual([]);
    expect(warnings).toMatchObject([{ jobId: UNREADABLE }]);
  });

  it('is nothing where there is no mirror, or something else lies among them', async () => {
    expect(await pinnedJobs(home.path)).toEqual([]);
    await mkdir(path.join(home.path, 'mirrors', 'x.git', 'refs', 'multi-agent', 'no job'), { recursive: true });

    expect(await pinnedJobs(home.path)).toEqual([]);
  });
});
