import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../../src/shared/domain/decide.ts';
import { LOCK_PATIENCE_MS } from '../../../../src/shared/domain/delayed.ts';
import type { Job } from '../../../../src/shared/domain/job.ts';
import { viewOf } from '../../../../src/shared/domain/view.ts';
import { after, commit, ends, mergedAs, merging, next, pendingTypes, type Step, stops, submitted } from './stories.ts';

const LOCKED =
  "git update-ref: fatal: cannot lock ref 'refs/heads/main': Unable to create '/srv/app/.git/refs/heads/main.lock': File exists.";

const delayed =
  (at: number, code = 'repository_locked', message = LOCKED): Step =>
  (job) =>
    decide(job, { type: 'EffectDelayed', effectId: job.pending[0]?.id ?? 0, code, message, at });

describe('a job whose repository is locked', () => {
  const start = merging();
  const since = next(start);
  const stuck = (): Job => after(start, delayed(since), delayed(since + LOCK_PATIENCE_MS));

  it('waits without a word for as long as somebody may be at work in it', () => {
    const job = after(start, delayed(since), delayed(since + LOCK_PATIENCE_MS - 1));

    expect(job.delay).toEqual({ code: 'repository_locked', message: LOCKED, since });
    expect(job.needs).toBeUndefined();
  });

  it('asks a person to look at the lock after that, and goes on trying', () => {
    const job = stuck();

    expect(viewOf(job).needs).toMatchObject({ kind: 'repository_locked', command: "rm '/srv/app/.git/refs/heads/main.lock'" });
    expect(job.needs?.message).toContain(LOCKED);
    expect(pendingTypes(job)).toEqual(pendingTypes(start));
    expect(after(job, delayed(since + 2 * LOCK_PATIENCE_MS))).toBe(job);
  });

  it('asks no more once the effect was carried out, or is held up by something else', () => {
    const done = after(stuck(), mergedAs(commit(9)));
    const other = after(stuck(), delayed(since + LOCK_PATIENCE_MS + 1, 'disk_full', 'Full.'));

    expect(done).toMatchObject({ status: 'COMPLETED' });
    expect(done).not.toHaveProperty('needs');
    expect(other).not.toHaveProperty('needs');
    expect(other.delay).toEqual({ code: 'disk_full', message: 'Full.', since: since + LOCK_PATIENCE_MS + 1 });
  });

  it('counts only the time for which it was locked', () => {
    const job = after(start, delayed(since, 'forge_down', 'Down.'), delayed(since + LOCK_PATIENCE_MS));

    expect(job.needs).toBeUndefined();
  });

  it('asks nothing where the job has ended', () => {
    const ended = after(submitted(), stops(), ends('PublishEvent', { type: 'Done' }));
    const job = after(ended, delayed(next(ended)), delayed(next(ended) + LOCK_PATIENCE_MS));

    expect(job.delay?.code).toBe('repository_locked');
    expect(job.needs).toBeUndefined();
  });
});
