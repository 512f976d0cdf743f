import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eachCli } from '../../support/e2e/cli.ts';
import { eventually, isAlive } from '../../support/e2e/processes.ts';
import { APPROVE, writes } from '../../support/e2e/script.ts';
import { ErrorShape, LogLineShape } from '../../support/e2e/shapes.ts';
import type { Shared } from './shared.ts';

const settings = (value: unknown) => ({ 'README.md': '# sample\n', '.multi-agent.json': JSON.stringify(value) });

/** Whatever a runner does, the job ends, says why, and leaves nothing running. */
export function runnerScenarios({ stage }: Shared): void {
  it.concurrent('fails a job whose runner is never available, after five attempts, and keeps the dead letter', async () => {
    const { run, runs, cli, env } = stage('never-available');

    const { code, job } = await run({ coder: [{ steps: [{ complain: 'the model is overloaded' }, { exit: 75 }] }] });

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toEqual({ code: 'runner_unavailable', message: expect.stringContaining('the model is overloaded'), retryable: true });
    expect(runs().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    const { letters } = (await cli('dead', 'list', '--json')).json() as {
      letters: { seq: number; payload: string; reason: { code: string } }[];
    };
    const letter = letters.find(({ payload }) => payload.includes(job.id));
    expect(letter?.reason.code).toBe('runner_unavailable');
    expect(letter?.payload).toContain('"bundleKey":"[redacted]"');
    const [task, drop, again, retry] = await eachCli(
      env,
      ['retry', 'drop', 'drop', 'retry'].map((name) => ['dead', name, String(letter?.seq), '--json']),
    );
    expect([task?.code, task?.json()]).toMatchObject([2, { error: { code: 'task_of_a_job', message: expect.stringContaining(job.id) } }]);
    expect([drop?.code, drop?.json()]).toMatchObject([0, { dropped: { seq: letter?.seq } }]);
    for (const late of [again, retry]) expect([late?.code, ErrorShape.parse(late?.json()).error.code]).toEqual([4, 'no_such_letter']);
  });

  it.concurrent('ends a runner that hangs, and has the task done by another attempt', async () => {
    const { run, runs } = stage('hangs');

    const { code, job } = await run({ coder: [{ when: { attempt: 1 }, steps: [{ hang: true }] }, { steps: [writes('late.txt')] }] });

    const [hung, second] = runs();
    expect({ code, status: job.status }).toEqual({ code: 0, status: 'COMPLETED' });
    expect([hung?.attempt, second?.attempt, second?.role]).toEqual([1, 2, 'coder']);
    expect(isAlive(hung?.pid ?? 0)).toBe(false);
  });

  it.concurrent('fails a job without a change, and says so', async () => {
    const { run, repository } = stage('no-change');

    const { code, job } = await run({ coder: [{ steps: [{ say: 'nothing to do' }] }] });

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toMatchObject({ code: 'no_change', message: expect.stringMatching(/changed nothing/) });
    expect(repository.firstParents()).toHaveLength(1);
  });

  it.concurrent('fails a job whose runner fails, with its last words, and keeps the work so far on the branch', async () => {
    const { run, runs, repository } = stage('exit-1');

    const { code, job } = await run({ coder: [{ steps: [writes('half.txt'), { complain: 'out of ideas' }, { exit: 1 }] }] });

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toEqual({ code: 'runner_failed', message: expect.stringMatching(/exit status 1.*out of ideas/), retryable: true });
    expect(runs()).toHaveLength(1);
    expect(repository.fileOn(`multi-agent/${job.id}`, 'half.txt')).toBe('half.txt');
    expect(repository.firstParents()).toHaveLength(1);
  });

  it.concurrent('tries again a runner that is unavailable for a moment', async () => {
    const { run, runs } = stage('exit-75');

    const { code, job } = await run({ coder: [{ when: { attempt: 1 }, steps: [{ exit: 75 }] }, { steps: [writes('done.txt')] }] });

    expect({ code, status: job.status }).toEqual({ code: 0, status: 'COMPLETED' });
    expect(runs().map(({ role, attempt }) => [role, attempt])).toEqual([
      ['coder', 1],
      ['coder', 2],
      ['reviewer', 1],
    ]);
  });

  it.concurrent('ends a runner at its time limit, and keeps the work so far on the branch', async () => {
    const { run, runs, repository } = stage('timeout');

    const { code, job } = await run({ coder: [{ steps: [writes('half.txt'), { talkForEver: true }] }] }, '--timeout', '5s');

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toMatchObject({ code: 'runner_timeout', message: expect.stringContaining('5 s') });
    expect(repository.fileOn(`multi-agent/${job.id}`, 'half.txt')).toBe('half.txt');
    expect(isAlive(runs()[0]?.pid ?? 0)).toBe(false);
  });

  it.concurrent('takes 40 MB of output, keeps what one task may say, and counts the rest', async () => {
    const { run, cli } = stage('flood');

    const { code, job } = await run({ coder: [{ steps: [{ flood: 40 }, writes('after.txt'), { say: 'that was all' }] }] });

    expect({ code, status: job.status }).toEqual({ code: 0, status: 'COMPLETED' });
    const logs = (await cli('logs', job.id, '--json')).jsonLines().map((line) => LogLineShape.parse(line));
    expect(logs.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(3_000_000);
    expect(logs.filter(({ type }) => type === 'note').map(({ text }) => text)).toEqual([expect.stringMatching(/^dropped \d{6} lines$/)]);
  });

  it.concurrent('ends a child that left the session of its runner', async () => {
    const { run, folder } = stage('setsid');
    const pidFile = join(folder, 'child.pid');

    const { code, job } = await run({ coder: [{ steps: [{ leaveBehind: pidFile }, writes('done.txt')] }] });

    expect({ code, status: job.status }).toEqual({ code: 0, status: 'COMPLETED' });
    expect(isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
  });

  it.concurrent('tells the runner of a check that failed, and merges what passes', async () => {
    const { run, runs, repository } = stage('check-fails', settings({ checks: ['test -f fixed.txt'] }));

    const { code, job } = await run({
      coder: [{ when: { try: 1 }, steps: [writes('broken.txt')] }, { steps: [{ remove: 'broken.txt' }, writes('fixed.txt')] }],
    });

    const [first, second, reviewer] = runs();
    expect({ code, status: job.status, round: job.round }).toEqual({ code: 0, status: 'COMPLETED', round: 1 });
    expect(first?.context.checks).toBeUndefined();
    expect(second?.context.checks).toMatchObject([{ command: 'test -f fixed.txt', passed: false }]);
    expect(second?.prompt).toContain('test -f fixed.txt');
    expect(reviewer?.context.checks).toMatchObject([{ command: 'test -f fixed.txt', passed: true }]);
    expect(job.checks).toMatchObject([{ command: 'test -f fixed.txt', passed: true }]);
    expect(repository.fileOn('main', 'broken.txt')).toBeUndefined();
  });

  it.concurrent('fails a job whose checks never pass, after three tries, and keeps the work on the branch', async () => {
    const { run, runs, repository } = stage('check-never-passes', settings({ checks: ['test -f never.txt'] }));

    const { code, job } = await run({ coder: [{ steps: [writes('tried.txt')] }] });

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toMatchObject({ code: 'checks_failed', message: expect.stringContaining('test -f never.txt'), retryable: true });
    expect(runs().map((one) => [one.role, one.attempt, one.try])).toEqual([1, 2, 3].map((number) => ['coder', 1, number]));
    expect(repository.fileOn(`multi-agent/${job.id}`, 'tried.txt')).toBe('tried.txt');
  });

  it.concurrent('fails a job on a repository whose settings are not valid, naming what is wrong', async () => {
    const { run, runs } = stage('settings-invalid', settings({ checks: 3, cheks: [] }));

    const { code, job } = await run({});

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toMatchObject({ code: 'settings_invalid', message: expect.stringMatching(/checks[^]*cheks|cheks[^]*checks/) });
    expect(runs()).toEqual([]);
  });

  it.concurrent('fails a job whose reviewer gives no verdict, with the change kept', async () => {
    const { run, repository } = stage('no-verdict');

    const { code, job } = await run({ reviewer: [{ steps: [{ say: 'looks good to me' }] }] });

    expect({ code, status: job.status }).toEqual({ code: 1, status: 'FAILED' });
    expect(job.error).toMatchObject({ code: 'invalid_verdict', message: expect.stringContaining('looks good to me') });
    expect(repository.git('rev-parse', `multi-agent/${job.id}`)).toBe(job.headCommit);
  });

  it.concurrent('retries a failed job from its branch: the same id, the same branch, the same change request', async () => {
    const { submit, ended, cli, gate, runs, repository } = stage('retry');
    const mended = gate('mended');
    const { id } = await submit({
      coder: [
        { when: { round: 1 }, steps: [writes('one.txt')] },
        { steps: [{ exitUnless: { path: mended.path, code: 1 } }, writes('two.txt')] },
      ],
      reviewer: [
        { when: { round: 1 }, steps: [{ verdict: { decision: 'REQUEST_CHANGES', summary: 'and a second file' } }] },
        { steps: [APPROVE] },
      ],
    });
    const failed = await ended(id);

    mended.open();
    const retry = await cli('retry', id, '--json');
    const job = await eventually('the retried job', async () => {
      const seen = await ended(id);
      return seen.status === 'FAILED' ? undefined : seen;
    });

    expect(failed).toMatchObject({
      status: 'FAILED',
      round: 2,
      error: { code: 'runner_failed' },
      changeRequest: { number: 1, state: 'open' },
    });
    expect(retry.code).toBe(0);
    expect(retry.json()).toMatchObject({ id });
    expect(job).toMatchObject({
      id,
      status: 'COMPLETED',
      round: 2,
      changeRequest: { number: 1, head: failed.changeRequest?.head, state: 'merged' },
    });
    expect(
      runs()
        .filter(({ role }) => role === 'coder')
        .map(({ round, attempt }) => [round, attempt]),
    ).toEqual([
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
    expect(repository.firstParents()).toHaveLength(2);
    expect([repository.fileOn('main', 'one.txt'), repository.fileOn('main', 'two.txt')]).toEqual(['one.txt', 'two.txt']);
  });
}
