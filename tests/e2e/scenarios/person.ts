import { expect, it } from '@jest/globals';
import { eventually, isAlive } from '../../support/e2e/processes.ts';
import { APPROVE, writes } from '../../support/e2e/script.ts';
import { ErrorShape, JobShape } from '../../support/e2e/shapes.ts';
import type { Shared } from './shared.ts';

/** What a person decides about a job. */
export function personScenarios({ stage }: Shared): void {
  it.concurrent('waits for a person where the merge is manual, merges what is approved, and takes the approval twice', async () => {
    const { run, ended, cli, repository } = stage('manual');

    const { code, job } = await run({}, '--merge', 'manual');
    const before = repository.firstParents();
    const approve = await cli('approve', job.id, '--head', String(job.headCommit), '--json');
    const merged = await ended(job.id);
    const again = await cli('approve', job.id, '--json');

    expect({ code, status: job.status, phase: job.phase }).toEqual({ code: 6, status: 'WAITING_APPROVAL', phase: 'approving' });
    expect(job.needs).toEqual({
      kind: 'approval',
      message: expect.any(String),
      command: `multi-agent approve ${job.id} --head ${String(job.headCommit)}`,
    });
    expect(before).toHaveLength(1);
    expect([approve.code, JobShape.parse(approve.json()).id]).toEqual([0, job.id]);
    expect(merged).toMatchObject({ status: 'COMPLETED', headCommit: job.headCommit });
    expect(repository.firstParents()).toHaveLength(2);
    expect([again.code, JobShape.parse(again.json()).status]).toEqual([0, 'COMPLETED']);
  });

  it.concurrent('takes a rejection to the coder as another round, and refuses the approval of the head before it', async () => {
    const { run, when, ended, cli, runs, repository } = stage('reject');
    const { job } = await run(
      { coder: [{ when: { round: 1 }, steps: [writes('long.txt', 'too long\n')] }, { steps: [writes('long.txt', 'ok\n')] }] },
      '--merge',
      'manual',
    );

    const silent = await cli('reject', job.id, '--json');
    const reject = await cli('reject', job.id, '--comment', 'shorter, please', '--json');
    const second = await when(job.id, ({ status, headCommit }) => status === 'WAITING_APPROVAL' && headCommit !== job.headCommit);
    const late = await cli('approve', job.id, '--head', String(job.headCommit), '--json');
    const between = repository.firstParents();
    const approve = await cli('approve', job.id, '--head', String(second.headCommit).slice(0, 12), '--json');
    const merged = await ended(job.id);

    expect([silent.code, ErrorShape.parse(silent.json()).error.message]).toEqual([2, expect.stringContaining('--comment')]);
    expect([reject.code, JobShape.parse(reject.json()).id]).toEqual([0, job.id]);
    const round = runs().find((one) => one.role === 'coder' && one.round === 2);
    expect(round?.context.reviews.at(-1)).toMatchObject({ decision: 'REQUEST_CHANGES', summary: 'shorter, please' });
    expect(round?.prompt).toContain('shorter, please');
    expect([late.code, ErrorShape.parse(late.json()).error.code]).toEqual([2, 'head_moved']);
    expect(between).toHaveLength(1);
    expect(approve.code).toBe(0);
    expect(merged).toMatchObject({ status: 'COMPLETED', round: 2, headCommit: second.headCommit, changeRequest: { number: 1 } });
    expect(repository.fileOn('main', 'long.txt')).toBe('ok');
  });

  it.concurrent('stops a job that is being implemented, twice, and ends its runner; who waited for it exits 5', async () => {
    const { submit, submission, startCli, cli, gate, runs, repository } = stage('stop-implementing');
    const script = { coder: [{ steps: [writes('half.txt'), { waitFor: gate('never').path }] }] };
    const { id } = await submit(script, '--key', 'stop');
    const [runner] = await eventually('the coder at work', () => runs().length > 0 && runs());
    const waiting = startCli(...submission(script, '--key', 'stop', '--wait'));
    await eventually('somebody who waits', () => waiting.stderr().includes('the same job'));

    const stop = await cli('stop-job', id, '--json');
    const again = await cli('stop-job', id, '--json');
    const waited = await waiting.ended;

    expect([stop.code, JobShape.parse(stop.json()).status]).toEqual([0, 'CANCELLED']);
    expect([again.code, JobShape.parse(again.json()).status]).toEqual([0, 'CANCELLED']);
    expect([waited.code, JobShape.parse(waited.json()).status]).toEqual([5, 'CANCELLED']);
    await eventually('the end of the runner', () => !isAlive(runner?.pid ?? 0));
    expect(runs()).toHaveLength(1);
    expect(repository.firstParents()).toHaveLength(1);
  });

  it.concurrent('stops a job that is being reviewed, and goes on with the review when it is retried', async () => {
    const { submit, when, ended, cli, gate, runs, repository } = stage('stop-reviewing');
    const reviewed = gate('reviewed');
    const { id } = await submit({ coder: [{ steps: [writes('kept.txt')] }], reviewer: [{ steps: [{ waitFor: reviewed.path }, APPROVE] }] });
    const reviewer = await eventually('the reviewer at work', () => runs().find(({ role }) => role === 'reviewer'));

    const stop = await cli('stop-job', id, '--json');
    await eventually('the end of the runner', () => !isAlive(reviewer.pid));
    const kept = repository.fileOn(`multi-agent/${id}`, 'kept.txt');
    reviewed.open();
    const retry = await cli('retry', id, '--json');
    await when(id, ({ status }) => status !== 'CANCELLED');
    const job = await ended(id);
    const late = await cli('stop-job', id, '--json');

    expect([stop.code, JobShape.parse(stop.json()).status]).toEqual([0, 'CANCELLED']);
    expect(kept).toBe('kept.txt');
    expect(retry.code).toBe(0);
    expect(job).toMatchObject({ id, status: 'COMPLETED', round: 1, changeRequest: { number: 1 } });
    expect(runs().map(({ role, attempt }) => [role, attempt])).toEqual([
      ['coder', 1],
      ['reviewer', 1],
      ['reviewer', 2],
    ]);
    // Merged is COMPLETED, and says so.
    expect([late.code, JobShape.parse(late.json()).status]).toEqual([1, 'COMPLETED']);
  });

  it.concurrent('makes one job of what is submitted twice with the same key, and refuses other content', async () => {
    const { submit, cli, submission, ended, runs, repository } = stage('same-key');

    const jobs = await Promise.all([submit({}, '--key', 'once'), submit({}, '--key', 'once')]);
    const other = await cli(...submission({}, '--key', 'once', '--priority', 'high'));
    const job = await ended(jobs[0].id);
    const late = await submit({}, '--key', 'once');

    expect(jobs[1].id).toBe(jobs[0].id);
    expect(other.code).toBe(2);
    expect(ErrorShape.parse(other.json()).error.message).toMatch(/key/);
    expect([job.status, late.id, late.status]).toEqual(['COMPLETED', job.id, 'COMPLETED']);
    expect(runs()).toHaveLength(2);
    expect(repository.firstParents()).toHaveLength(2);
  });

  it.concurrent('lets the job go on when who waited for it is interrupted', async () => {
    const { submit, submission, startCli, ended, gate, runs } = stage('interrupted');
    const go = gate('go');
    const script = { coder: [{ steps: [{ waitFor: go.path }, writes('done.txt')] }] };
    const { id } = await submit(script, '--key', 'interrupted');
    await eventually('the coder at work', () => runs().length > 0);
    const waiting = startCli(...submission(script, '--key', 'interrupted', '--wait'));
    await eventually('somebody who waits', () => waiting.stderr().includes('the same job'));

    waiting.child.kill('SIGINT');
    const interrupted = await waiting.ended;
    go.open();
    const job = await ended(id);

    expect([interrupted.code, ErrorShape.parse(interrupted.json()).error.code]).toEqual([130, 'interrupted']);
    expect(job.status).toBe('COMPLETED');
    expect(runs(id)).toHaveLength(2);
  });
}
