import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeSessions, openSessions, sweepSessions } from '../../../../src/shared/runner/sessions.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const JOB = 'job-01JD00000000000000000000AA';
const OTHER = 'job-01JD00000000000000000000AB';
const DAY_MS = 24 * 60 * 60 * 1_000;

describe('the sessions of jobs', () => {
  let home: ReturnType<typeof temporaryDirectory>;

  beforeEach(() => {
    home = temporaryDirectory('sessions');
  });

  afterEach(() => {
    home.remove();
  });

  it('gives a job and role the same folder in each round, open to its owner only', async () => {
    const first = await openSessions(home.path, JOB, 'coder');
    writeFileSync(join(first, 'kept'), '');

    const second = await openSessions(home.path, JOB, 'coder');

    expect(second).toBe(join(home.path, 'sessions', JOB, 'coder'));
    expect(existsSync(join(second, 'kept'))).toBe(true);
    expect(statSync(second).mode & 0o777).toBe(0o700);
    expect(statSync(join(home.path, 'sessions', JOB)).mode & 0o777).toBe(0o700);
  });

  it('removes those that no role has opened for 14 days', async () => {
    const old = await openSessions(home.path, JOB, 'coder');
    await openSessions(home.path, OTHER, 'coder');
    const reviewer = await openSessions(home.path, OTHER, 'reviewer');
    for (const job of [JOB, OTHER]) age(join(home.path, 'sessions', job), 20);
    age(join(home.path, 'sessions', OTHER, 'coder'), 20);
    age(old, 15);

    const removed = await sweepSessions(home.path, Date.now());

    expect(removed).toEqual([JOB]);
    expect(existsSync(old)).toBe(false);
    expect(existsSync(reviewer)).toBe(true);
  });

  it('leaves nothing of a runner that keeps nothing, and all of one that does', async () => {
    const empty = await openSessions(home.path, JOB, 'coder');
    const used = await openSessions(home.path, OTHER, 'coder');
    writeFileSync(join(used, 'kept'), '');

    await closeSessions(empty);
    await closeSessions(used);

    expect(existsSync(join(home.path, 'sessions', JOB))).toBe(false);
    expect(existsSync(join(used, 'kept'))).toBe(true);
  });

  it('finds nothing where there are none', async () => {
    expect(await sweepSessions(home.path, Date.now())).toEqual([]);
  });
});

function age(folder: string, days: number): void {
  const at = new Date(Date.now() - days * DAY_MS);
  utimesSync(folder, at, at);
}
