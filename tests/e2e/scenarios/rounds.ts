import { expect, it } from '@jest/globals';
import { APPROVE, writes } from '../../support/e2e/script.ts';
import type { Shared } from './shared.ts';

const NOT_YET = (path: string, body: string) =>
  ({ verdict: { decision: 'REQUEST_CHANGES', summary: 'not yet', comments: [{ path, line: 1, severity: 'error', body }] } }) as const;

/** From the request to the merge commit, and how often the reviewer may say no. */
export function roundScenarios({ stage }: Shared): void {
  it.concurrent('merges an approved change as exactly one first-parent commit', async () => {
    const { repository, run, runs } = stage('whole-cycle');
    const base = repository.git('rev-parse', 'main');

    const { code, job } = await run({ coder: [{ steps: [writes('src/hello.txt', 'hello\n'), { say: 'said hello' }] }] });

    expect({ code, status: job.status, phase: job.phase, round: job.round }).toEqual({
      code: 0,
      status: 'COMPLETED',
      phase: 'done',
      round: 1,
    });
    expect(job.changeRequest).toMatchObject({ number: 1, head: `multi-agent/${job.id}`, base: 'main', state: 'merged', merged: true });
    expect(job.review).toMatchObject({ decision: 'APPROVE', headCommit: job.headCommit, summary: 'fine', comments: [] });
    expect(repository.firstParents()).toHaveLength(2);
    expect(repository.git('rev-list', '--parents', '-1', 'main')).toBe(
      `${String(job.changeRequest?.mergeCommit)} ${base} ${String(job.headCommit)}`,
    );
    expect(repository.fileOn('main', 'src/hello.txt')).toBe('hello');
    expect(repository.git('status', '--porcelain')).toBe('');
    expect(repository.branches()).toEqual(['main']);
    expect(runs().map(({ taskId }) => taskId)).toEqual([`${job.id}.implement.1`, `${job.id}.review.1`]);
  });

  it.concurrent('takes the comments of a reviewer who asks for changes to the coder, and merges the second round', async () => {
    const { repository, run, runs } = stage('request-changes');

    const { code, job } = await run({
      coder: [{ when: { round: 1 }, steps: [writes('greeting.txt', 'helo\n')] }, { steps: [writes('greeting.txt', 'hello\n')] }],
      reviewer: [{ when: { round: 1 }, steps: [NOT_YET('greeting.txt', 'it is spelled hello')] }, { steps: [APPROVE] }],
    });

    const [, firstReview, secondCoder, secondReview] = runs();
    expect({ code, status: job.status, round: job.round }).toEqual({ code: 0, status: 'COMPLETED', round: 2 });
    expect(firstReview?.context.diff).toContain('+helo');
    expect(secondCoder?.context.reviews).toMatchObject([
      {
        decision: 'REQUEST_CHANGES',
        summary: 'not yet',
        comments: [{ path: 'greeting.txt', line: 1, severity: 'error', body: 'it is spelled hello' }],
      },
    ]);
    expect(secondCoder?.prompt).toContain('it is spelled hello');
    expect(secondReview?.context.reviews).toHaveLength(1);
    expect(repository.fileOn('main', 'greeting.txt')).toBe('hello');
    expect(repository.firstParents()).toHaveLength(2);
    // Both rounds are on the one branch of the one change request.
    expect(job.changeRequest?.number).toBe(1);
    expect(repository.git('rev-list', '--count', 'main^1..main^2')).toBe('2');
  });

  it.concurrent('fails at the round limit, with the branch kept and the reason said', async () => {
    const { repository, run, runs } = stage('round-limit');

    const { code, job } = await run(
      { reviewer: [{ steps: [{ verdict: { decision: 'REQUEST_CHANGES', summary: 'never good enough' } }] }] },
      '--max-rounds',
      '2',
    );

    expect({ code, status: job.status, round: job.round }).toEqual({ code: 1, status: 'FAILED', round: 2 });
    expect(job.error).toEqual({ code: 'round_limit', message: expect.stringContaining('never good enough'), retryable: true });
    expect(job.changeRequest).toMatchObject({ state: 'open', merged: false });
    expect(runs()).toHaveLength(4);
    expect(repository.firstParents()).toHaveLength(1);
    expect(repository.branches()).toContain(`multi-agent/${job.id}`);
    expect(repository.git('rev-parse', `multi-agent/${job.id}`)).toBe(job.headCommit);
  });

  it.concurrent('merges onto a base that moved during the review', async () => {
    const { repository, submit, when, ended, gate } = stage('base-moves');
    const reviewed = gate('reviewed');
    const { id } = await submit({
      coder: [{ steps: [writes('feature.txt')] }],
      reviewer: [{ steps: [{ waitFor: reviewed.path }, APPROVE] }],
    });
    await when(id, ({ phase, attempt }) => phase === 'reviewing' && attempt === 1);

    const moved = repository.commit('meanwhile.txt', 'meanwhile\n');
    reviewed.open();
    const job = await ended(id);

    expect(job).toMatchObject({ status: 'COMPLETED', round: 1, conflictRounds: 0 });
    expect(repository.git('rev-list', '--parents', '-1', 'main')).toBe(
      `${String(job.changeRequest?.mergeCommit)} ${moved} ${String(job.headCommit)}`,
    );
    expect(repository.fileOn('main', 'meanwhile.txt')).toBe('meanwhile');
    expect(repository.fileOn('main', 'feature.txt')).toBe('feature.txt');
    expect(repository.git('status', '--porcelain')).toBe('');
  });
}
