import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frameOf } from '../../../../src/cli/live/frame.ts';
import { NO_PROGRESS, type Progress, progressAfter } from '../../../../src/cli/live/progress.ts';
import { plainStyle } from '../../../../src/cli/render/style.ts';
import { widthOf } from '../../../../src/cli/render/width.ts';
import type { Job } from '../../../../src/shared/domain/job.ts';
import { pendingJob } from '../../../../src/shared/domain/view.ts';

const jobId = `job-${'0'.repeat(26)}`;
const taskId = `${jobId}.implement.1`;

function jobOf(changes: Partial<Job> = {}, title = 'Add --json'): Job {
  const request = {
    jobId,
    priority: 'normal' as const,
    repository: { kind: 'local' as const, url: '/r' },
    feature: { title, description: '', requirements: [], acceptanceCriteria: [] },
    workflow: { merge: 'auto' as const, maxRounds: 3, timeoutMs: 1_000 },
    submittedAt: 0,
  };
  return { ...pendingJob(request), ...changes };
}

const task = { id: taskId, role: 'coder' as const, round: 1, dispatch: 1, attempt: 2, agentId: 'coder-1', startedAt: 60_000, sentAt: 0 };
const working = progressAfter(NO_PROGRESS, { type: 'job', job: jobOf({ status: 'IN_PROGRESS', phase: 'implementing', round: 1, task }) });
const draw = (progress: Progress, columns = 100): string[] => frameOf(progress, { style: plainStyle, columns, now: 75_000, tick: 0 });

function started(runner: string): Progress {
  const event = { type: 'TaskStarted' as const, taskId, role: 'coder' as const, round: 1, attempt: 2, agentId: 'coder-1', runner };
  return progressAfter(working, { type: 'event', seq: 1, message: { v: 1, jobId, at: 0, event } });
}

function said(progress: Progress, texts: string[], attempt = 2): Progress {
  return progressAfter(progress, {
    type: 'log',
    seq: 1,
    batch: { v: 1, jobId, taskId, attempt, entries: texts.map((text) => ({ at: 0, type: 'stdout', text })) },
  });
}

describe('the live view', () => {
  it('shows phases, round, agent, runner, words and time', () => {
    expect(draw(said(started('command (my-coder)'), ['compiling', 'testing']))).toEqual([
      `Add --json  ${jobId}`,
      '  ✔ queued  ⠋ implementing  ○ reviewing  ○ merging  round 1 of 3',
      '  coder-1 · command (my-coder) · attempt 2 · 15s',
      '  │ compiling',
      '  │ testing',
      '  1:15 elapsed',
    ]);
  });

  it('says that a recording is played', () => {
    expect(draw(started('replay (demo.jsonl)')).join('\n')).toContain('a recording is played');
  });

  it('keeps the last words only, and those of one attempt', () => {
    const first = said(working, ['1', '2', '3', '4', '5', '6', '7']);

    expect(first.said).toEqual(['3', '4', '5', '6', '7']);
    expect(said(first, ['anew'], 3).said).toEqual(['anew']);
  });

  it('says what the job waits for, and that the connection is lost', () => {
    const needs = { kind: 'approval' as const, message: 'Look.', command: 'multi-agent approve x' };
    const waiting = progressAfter(NO_PROGRESS, {
      type: 'job',
      job: jobOf({ status: 'WAITING_APPROVAL', phase: 'approving', round: 1, needs }),
    });
    const frame = draw(progressAfter(waiting, { type: 'connection', connected: false })).join('\n');

    expect(frame).toContain('⏸ approving');
    expect(frame).toContain('waits for you: multi-agent approve x');
    expect(frame).toContain('connection to NATS is lost');
  });

  it('is never wider than the terminal, whatever is said', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 20, max: 200 }),
        (title, text, columns) => {
          const job = jobOf({ status: 'IN_PROGRESS', phase: 'reviewing', round: 2, conflictRounds: 1, task }, title);
          const progress = said(progressAfter(started('replay 录音'), { type: 'job', job }), [text]);

          for (const line of draw(progress, columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        },
      ),
      { numRuns: 500 },
    );
  });
});
