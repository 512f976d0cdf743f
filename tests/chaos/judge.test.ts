import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Job } from '../../src/shared/domain/job.ts';
import { BEHAVIOURS } from '../support/chaos/behaviours.ts';
import type { SubmittedJob } from '../support/chaos/customers.ts';
import type { Finding } from '../support/chaos/finding.ts';
import { judgeJob, judgeRepository } from '../support/chaos/judge.ts';
import { planJobs } from '../support/chaos/plan.ts';
import { createRandom } from '../support/chaos/random.ts';
import { readHistory } from '../support/chaos/repository-history.ts';
import { git, makeRepository } from '../support/in-process-system.ts';

const NO_FACTS = { records: [], events: new Map<string, number>() };

/** The control of the oracle: what it is there to find, done by hand. */
describe('the judge of chaos', () => {
  let repository: string;
  let job: SubmittedJob;

  beforeEach(async () => {
    repository = await makeRepository({ 'shared.txt': 'first\n' });
    const write = BEHAVIOURS.filter(({ name }) => name === 'write');
    const plan = planJobs(createRandom('judge'), [repository], write).next().value;
    const record = { status: 'COMPLETED', pending: [], reviews: [{}] } as unknown as Job;
    job = { plan, record, submittedAt: 0, retries: 0, failures: [], revision: 1, changedAt: 0, answered: 0, isOver: true };
  });
  afterEach(() => rm(repository, { recursive: true, force: true }));

  it('finds nothing wrong with a job that was merged once', () => {
    change(job.plan.id, 1);
    merge(job.plan.id);

    expect(judgeJob(job, readHistory(repository), NO_FACTS)).toEqual([]);
  });

  it('finds a job that says it was merged, and was not', () => {
    expect(kinds(judgeJob(job, readHistory(repository), NO_FACTS))).toEqual(['lost', 'lost']);
  });

  it('finds a job that was merged twice', () => {
    change(job.plan.id, 1);
    merge(job.plan.id);
    merge(job.plan.id);

    expect(judgeJob(job, readHistory(repository), NO_FACTS)).toMatchObject([{ kind: 'doubled', what: /merged 2 times/ }].map(matching));
  });

  it('finds a run that took effect twice', () => {
    change(job.plan.id, 1);
    change(job.plan.id, 1);
    merge(job.plan.id);

    expect(judgeJob(job, readHistory(repository), NO_FACTS)).toMatchObject(
      [{ kind: 'doubled', what: /work of rounds 1, 1/ }].map(matching),
    );
  });

  it('finds a review that was posted twice, and a second change request', () => {
    change(job.plan.id, 1);
    merge(job.plan.id);
    const records = ['one', 'two'].map((repositoryKey) => ({ repositoryKey, reviews: ['1-approve'] }));

    expect(kinds(judgeJob(job, readHistory(repository), { ...NO_FACTS, records }))).toEqual(['doubled', 'doubled', 'doubled']);
  });

  it('finds a result that was told twice', () => {
    change(job.plan.id, 1);
    merge(job.plan.id);
    const events = new Map([['FeatureResult', 2]]);

    expect(judgeJob(job, readHistory(repository), { ...NO_FACTS, events })).toMatchObject([{ kind: 'doubled' }]);
  });

  it('finds a job that failed and was merged all the same', () => {
    change(job.plan.id, 1);
    merge(job.plan.id);
    const record = { ...job.record, status: 'FAILED' } as Job;

    expect(kinds(judgeJob({ ...job, record }, readHistory(repository), NO_FACTS))).toEqual(['lost', 'untrue']);
  });

  it('finds a job that never ended', () => {
    const record = { ...job.record, status: 'IN_PROGRESS' } as Job;

    expect(kinds(judgeJob({ ...job, record }, readHistory(repository), NO_FACTS))).toEqual(['lost']);
    expect(kinds(judgeJob({ ...job, record: undefined }, readHistory(repository), NO_FACTS))).toEqual(['lost']);
  });

  it('finds a commit on the base branch whose tree no green check has seen', () => {
    change(job.plan.id, 1);
    merge(job.plan.id);
    const green = new Set([git(repository, 'rev-parse', 'main^{tree}')]);

    expect(judgeRepository(repository, readHistory(repository), green)).toEqual([]);
    expect(kinds(judgeRepository(repository, readHistory(repository), new Set()))).toEqual(['red']);
  });

  function change(id: string, round: number): void {
    const isThere = git(repository, 'branch', '--list', 'work') !== '';
    git(repository, 'checkout', '-q', ...(isThere ? ['work'] : ['-b', 'work']));
    git(repository, 'commit', '-q', '--allow-empty', '-m', `a change\n\nMulti-Agent-Job: ${id}\nMulti-Agent-Round: ${round}`);
    git(repository, 'checkout', '-q', 'main');
  }

  function merge(id: string): void {
    git(repository, 'merge', '-q', '--no-ff', '--no-commit', '-s', 'ours', 'work');
    mkdirSync(join(repository, 'work'), { recursive: true });
    writeFileSync(join(repository, 'work', `${id}-1.txt`), 'round 1\n');
    git(repository, 'add', '-A');
    git(repository, 'commit', '-q', '--allow-empty', '-m', `Merge: a change\n\nMulti-Agent-Job: ${id}`);
  }
});

function kinds(findings: readonly Finding[]): string[] {
  return findings.map(({ kind }) => kind);
}

function matching({ kind, what }: { kind: string; what: RegExp }): object {
  return { kind, what: expect.stringMatching(what) as unknown };
}
