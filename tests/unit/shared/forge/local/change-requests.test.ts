import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { changeRequestOf, createChangeRequestStore } from '../../../../../src/shared/forge/local/change-requests.ts';
import { readFact, writeFact } from '../../../../../src/shared/forge/local/facts.ts';

const JOBS = ['job-01ARZ3NDEKTSV4RRFFQ69G5FAV', 'job-01BX5ZZKBKACTAV9WEVGEMMVRZ'] as const;
const ID = '1'.repeat(40);
const change = (jobId: string) => ({ jobId, title: 't', body: 'b', head: `multi-agent/${jobId}`, headCommit: ID, base: 'main' });
const jobNumbered = (n: number) => `job-01ARZ3NDEKTSV4RRFFQ69G${String(n).padStart(4, '0')}`;
const review = (round: number) => ({ round, decision: 'COMMENT' as const, headCommit: ID, summary: String(round), comments: [] });

describe('the records of change requests', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'ma-facts-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('are what follows from facts, whoever wrote them', async () => {
    const [one, two] = [createChangeRequestStore(directory), createChangeRequestStore(directory)];
    await one.open(change(JOBS[0]));

    await Promise.all([one.addReview(JOBS[0], review(2)), two.addReview(JOBS[0], review(1)), two.addReview(JOBS[0], review(2))]);
    await two.markMerged(JOBS[0], { mergeCommit: '2'.repeat(40), headCommit: ID, at: 5 });
    await one.markMerged(JOBS[0], { mergeCommit: '3'.repeat(40), headCommit: ID, at: 6 });

    const record = await one.read(JOBS[0]);
    expect(record?.reviews.map(({ round }) => round)).toEqual([1, 2]);
    expect(record?.merged).toEqual({ mergeCommit: '2'.repeat(40), headCommit: ID, at: 5 });
    expect(await readdir(path.join(directory, JOBS[0]))).toEqual(['merged.json', 'opened.json', 'reviews']);
  });

  it('give each job its number, also when opened at once', async () => {
    const stores = [1, 2, 3].map(() => createChangeRequestStore(directory));

    const opened = await Promise.all(stores.flatMap((store) => JOBS.map((job) => store.open(change(job)))));

    const numbers = JOBS.map((job) => new Set(opened.filter(({ jobId }) => jobId === job).map(({ number }) => number)));
    expect(numbers.map((of) => of.size)).toEqual([1, 1]);
    expect([...(numbers[0] ?? [])]).not.toEqual([...(numbers[1] ?? [])]);
    expect(await stores[0]?.jobOf([...(numbers[1] ?? [])][0] ?? 0)).toBe(JOBS[1]);
  });

  it('number on from whatever is there, and leave nothing among the numbers but numbers', async () => {
    const store = createChangeRequestStore(directory);
    const numbers = path.join(directory, 'numbers');
    await mkdir(numbers);
    const given: number[] = [];

    for (let taken = 0; taken < 20; taken++) {
      const { number } = await store.open(change(jobNumbered(taken)));
      given.push(number);
    }

    expect(given).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect((await readdir(numbers)).sort()).toEqual(given.map(String).sort());
  });

  it('take a number without a list of all that were taken', async () => {
    const store = createChangeRequestStore(directory);
    const numbers = path.join(directory, 'numbers');
    await mkdir(numbers);
    for (let number = 1; number <= 40; number++) await writeFile(path.join(numbers, String(number)), JSON.stringify(JOBS[0]));
    // A listing would go on from here.
    await writeFile(path.join(numbers, '1000'), JSON.stringify(JOBS[0]));

    const { number } = await store.open(change(JOBS[1]));

    expect(number).toBe(41);
  });

  it('show the newest head while open, and the merged one after', async () => {
    const store = createChangeRequestStore(directory);
    const record = await store.open(change(JOBS[0]));

    expect(changeRequestOf(record, '4'.repeat(40))).toMatchObject({ headCommit: '4'.repeat(40), state: 'open' });
    expect(changeRequestOf(record, undefined)).toMatchObject({ headCommit: ID });
    expect(changeRequestOf({ ...record, merged: { mergeCommit: '5'.repeat(40), headCommit: ID, at: 7 } }, '4'.repeat(40))).toEqual({
      number: 1,
      head: `multi-agent/${JOBS[0]}`,
      headCommit: ID,
      base: 'main',
      state: 'merged',
      merged: true,
      mergeCommit: '5'.repeat(40),
      mergedAt: 7,
    });
  });

  it('never lie in another place than a job may have', async () => {
    const store = createChangeRequestStore(directory);

    await expect(async () => store.read('../../etc')).rejects.toThrow();
    await expect(store.jobOf(1)).rejects.toMatchObject({ code: 'change_request_not_found' });
  });
});

describe('a fact', () => {
  it('is written once, whole', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'ma-facts-'));
    const file = path.join(directory, 'a', 'fact.json');

    const written = await Promise.all([1, 2, 3, 4, 5].map((n) => writeFact(file, { n }, directory)));

    expect(written.filter(Boolean)).toHaveLength(1);
    expect(await readFact(file)).toEqual({ n: written.indexOf(true) + 1 });
    expect(await readFact(path.join(directory, 'none'))).toBeUndefined();
    expect(await readdir(path.join(directory, 'a'))).toEqual(['fact.json']);
    await writeFile(path.join(directory, 'file'), '');
    await expect(writeFact(path.join(directory, 'file', 'x'), {}, directory)).rejects.toThrow();
    await expect(readFact(path.join(directory, 'file', 'x'))).rejects.toThrow();
    await rm(directory, { recursive: true });
  });
});
