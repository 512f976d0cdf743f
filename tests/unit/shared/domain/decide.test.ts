import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../../src/shared/domain/decide.ts';
import { type Job, reviewRounds } from '../../../../src/shared/domain/job.ts';
import { MISSING_GRACE_MS } from '../../../../src/shared/domain/tasks.ts';
import {
  accepted,
  after,
  approves,
  approving,
  BASE,
  changeRequestOf,
  commit,
  conflictsWith,
  delivered,
  ends,
  failureOf,
  fails,
  findsTreeDirty,
  implementationOf,
  implemented,
  implementing,
  inQueue,
  JOB_ID,
  mergedAs,
  merges,
  merging,
  next,
  pendingEffect,
  pendingTypes,
  prepared,
  publishedEvents,
  rejects,
  request,
  retries,
  reviewed,
  reviewing,
  reviewOf,
  settled,
  started,
  startOf,
  type Step,
  stops,
  submitted,
  swept,
  SETTINGS,
} from './stories.ts';

const refusal = { code: 'branch_conflict', message: 'No.', retryable: true } as const;
const refused = { type: 'Refused', error: refusal } as const;
const dirty = (): Job => after(merging(), findsTreeDirty, settled);
const taskId = (name: string): string => `${JOB_ID}.${name}`;
/** One conflict round from a pending merge to the next one. */
const conflictRound =
  (base: string, head: string): Step =>
  (job) =>
    after(job, conflictsWith(base), settled, started(), implemented(head), reviewed('APPROVE'));

/** Whether a report did nothing but add what its attempt cost: that is spent, whatever else becomes of the report. */
function addsOnlyCosts(job: Job, reported: Job): boolean {
  const without = ({ usage: _, attempts: __, updatedAt: ___, ...rest }: Job) => rest;
  return isDeepStrictEqual(without(reported), without(job));
}

describe('a job that begins', () => {
  it('is PENDING and has its repository prepared', () => {
    const job = submitted({ branch: 'develop', key: 'k1' });

    expect(job).toMatchObject({ id: JOB_ID, status: 'PENDING', phase: 'queued', round: 0, requestedBase: 'develop', key: 'k1' });
    expect(pendingTypes(job)).toEqual(['PrepareRepository']);
  });

  it('takes its first task out as soon as the repository is prepared', () => {
    const job = after(
      submitted(),
      ends('PrepareRepository', {
        type: 'RepositoryPrepared',
        host: 'box',
        base: 'main',
        baseCommit: BASE,
        settings: { setup: [], checks: ['npm test'], timeoutMs: 1_000, env: [] },
      }),
    );

    expect(job).toMatchObject({ status: 'PENDING', base: 'main', baseCommit: BASE, host: 'box', round: 1 });
    expect(pendingEffect(job, 'SendTask')).toMatchObject({ taskId: taskId('implement.1'), role: 'coder', dispatch: 1, attemptsBefore: 0 });
    expect(publishedEvents(job)).toEqual(['JobAccepted', 'TaskSent']);
  });

  it('remembers the host for a path only', () => {
    const job = after(submitted({ repository: { kind: 'github', url: 'https://github.com/a/b' } }), prepared);

    expect(job.host).toBeUndefined();
  });

  it('fails when the repository is refused, and prepares it again with a retry', () => {
    const failed = after(submitted(), ends('PrepareRepository', refused));
    const again = after(failed, retries());

    expect(failed).toMatchObject({ status: 'FAILED', error: refusal });
    expect(again.status).toBe('PENDING');
    expect(pendingTypes(again)).toContain('PrepareRepository');
  });

  it('prepares its repository once, however it was stopped and retried', () => {
    const job = after(submitted(), stops(), retries());

    expect(pendingTypes(job).filter((type) => type === 'PrepareRepository')).toHaveLength(1);
    expect(after(job, prepared).round).toBe(1);
  });

  it('takes the same request twice for one', () => {
    const job = inQueue();

    expect(decide(job, { type: 'FeatureRequested', request: request(), at: next(job) })).toBe(job);
  });

  it('can not begin with anything but a request', () => {
    expect(() => decide(null, { type: 'StopRequested', commandId: 'c', at: 1 })).toThrow(RangeError);
  });
});

describe('a round', () => {
  it('is IN_PROGRESS once an agent has started', () => {
    const job = implementing();

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'implementing', task: { attempt: 1, agentId: 'coder-1' } });
  });

  it('takes the work in, shows it on the branch, and only then has it reviewed', () => {
    const taken = after(implementing(), delivered(commit(2)));
    const shown = after(taken, accepted);
    const job = after(shown, settled);

    expect(pendingTypes(taken)).toEqual(['AcceptWork']);
    expect(taken.task).toBeUndefined();
    expect(pendingTypes(shown)).toEqual(['ProposeChange', 'PublishEvent']);
    expect(shown).toMatchObject({ headCommit: commit(2), filesChanged: [{ path: 'a.ts' }] });
    expect(job).toMatchObject({
      phase: 'reviewing',
      changeRequest: { headCommit: commit(2), merged: false },
      task: { id: taskId('review.1') },
    });
  });

  it('merges the approved head, and nothing else', () => {
    const job = after(reviewing(), (current) => decide(current, reviewOf(current, 'APPROVE')));

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'merging' });
    expect(pendingTypes(job)).toEqual(['PostReview', 'PublishEvent', 'MergeChange']);
    expect(pendingEffect(job, 'MergeChange').headCommit).toBe(commit(2));
  });

  it('is COMPLETED when the merge is there', () => {
    const job = after(merging(), mergedAs(commit(50)));

    expect(job).toMatchObject({
      status: 'COMPLETED',
      phase: 'done',
      changeRequest: { state: 'merged', merged: true, mergeCommit: commit(50) },
    });
    expect(job.finishedAt).toBe(job.updatedAt);
    expect(job.error).toBeUndefined();
    expect(publishedEvents(job)).toEqual(['FeatureResult']);
    expect(pendingEffect(job, 'CloseJob').merged).toBe(true);
  });

  it('adds up what was spent', () => {
    expect(merging().usage).toEqual({ inputTokens: 11, outputTokens: 6, costUsd: 0.75 });
  });

  it('is followed by another one on the same branch when the reviewer asks for changes', () => {
    const job = after(reviewing(), reviewed('REQUEST_CHANGES', 'Name it better.'));

    expect(job).toMatchObject({
      status: 'IN_PROGRESS',
      phase: 'implementing',
      round: 2,
      headCommit: commit(2),
      task: { id: taskId('implement.2') },
    });
    expect(job.reviews.map(({ summary }) => summary)).toEqual(['Name it better.']);
  });

  it('is the last one at the limit: FAILED, with the reason, the branch and a retry', () => {
    const job = after(
      reviewing({ workflow: { maxRounds: 2 } }),
      reviewed('REQUEST_CHANGES'),
      started(),
      implemented(commit(3)),
      reviewed('REQUEST_CHANGES', 'Still wrong.'),
    );

    expect(job).toMatchObject({ status: 'FAILED', headCommit: commit(3), error: { code: 'round_limit', retryable: true } });
    expect(job.error?.message).toContain('Still wrong.');
  });

  it('counts a verdict as one about its own round, whatever number it bears', () => {
    const job = after(reviewing(), (current) => {
      const input = reviewOf(current, 'APPROVE');
      return input.type === 'ReviewFinished' ? decide(current, { ...input, review: { ...input.review, round: 77 } }) : current;
    });

    expect(job.reviews.at(-1)?.round).toBe(1);
  });

  it('takes no notice of a verdict about another head', () => {
    const job = reviewing();
    const input = reviewOf({ ...job, headCommit: commit(9) }, 'APPROVE');

    expect(addsOnlyCosts(job, decide(job, input))).toBe(true);
  });

  it('takes no notice of a coder that reports a verdict, or a reviewer that reports work', () => {
    const coding = implementing();
    const judging = reviewing();

    expect(addsOnlyCosts(coding, decide(coding, reviewOf(coding, 'APPROVE')))).toBe(true);
    expect(addsOnlyCosts(judging, decide(judging, implementationOf(judging, commit(9))))).toBe(true);
  });

  it('goes on when a review can not be posted', () => {
    const judged = after(reviewing(), (current) => decide(current, reviewOf(current, 'APPROVE')));
    const job = after(judged, ends('PostReview', refused));

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'merging' });
  });

  it('has work done again that is gone from the store, as often as a task may be sent out', () => {
    const gone = { type: 'Refused', error: { code: 'bundle_missing', message: 'It is not there.', retryable: true } } as const;
    const again = after(implementing(), delivered(commit(2)), ends('AcceptWork', gone));
    let job = again;
    for (let n = 2; n <= 5; n++) job = after(job, settled, delivered(commit(n + 1)), ends('AcceptWork', gone));

    expect(again).toMatchObject({ status: 'IN_PROGRESS', phase: 'implementing', round: 1 });
    expect(again.task).toMatchObject({ id: taskId('implement.1'), dispatch: 2, attempt: 1 });
    expect(publishedEvents(again)).toContain('TaskRetried');
    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'dispatch_limit' } });
    expect(after(implementing(), fails({ code: 'timeout' }, commit(2)), ends('AcceptWork', gone))).toMatchObject({
      status: 'FAILED',
      error: { code: 'timeout' },
    });
  });

  it('fails when the work or the change is refused, and proposes the change with a retry', () => {
    const notTaken = after(implementing(), delivered(commit(2)), ends('AcceptWork', refused));
    const notShown = after(implementing(), delivered(commit(2)), accepted, ends('ProposeChange', refused));
    const again = after(notShown, settled, retries());

    expect(notTaken).toMatchObject({ status: 'FAILED', error: refusal });
    expect(notShown).toMatchObject({ status: 'FAILED', error: refusal, headCommit: commit(2) });
    expect(pendingEffect(again, 'ProposeChange')).toMatchObject({ headCommit: commit(2), previousHead: null });
    expect(after(again, settled).task).toMatchObject({ id: taskId('review.1') });
  });
});

describe('a manual merge', () => {
  it('waits for a person, and says what to type', () => {
    const job = approving();

    expect(job).toMatchObject({ status: 'WAITING_APPROVAL', phase: 'approving', needs: { kind: 'approval' } });
    expect(job.needs?.command).toBe(`multi-agent approve ${JOB_ID} --head ${commit(2)}`);
  });

  it('merges what is approved', () => {
    const job = after(approving(), approves(commit(2)));

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'merging', commands: [{ id: 'approve-1', accepted: true }] });
    expect(job.needs).toBeUndefined();
    expect(pendingEffect(job, 'MergeChange').headCommit).toBe(commit(2));
  });

  it('refuses the approval of a head that moved, and of a job that waits for none', () => {
    const moved = after(approving(), approves(commit(3)));
    const early = after(implementing(), approves());

    expect(moved).toMatchObject({ status: 'WAITING_APPROVAL', commands: [{ accepted: false }] });
    expect(moved.commands[0]?.message).toContain('moved');
    expect(pendingTypes(moved)).toEqual([]);
    expect(early).toMatchObject({ status: 'IN_PROGRESS', commands: [{ accepted: false }] });
  });

  it('waits after a COMMENT too, though merges are automatic', () => {
    const job = after(reviewing(), reviewed('COMMENT'));

    expect(job).toMatchObject({ status: 'WAITING_APPROVAL', needs: { kind: 'approval' } });
    expect(after(job, approves(), mergedAs(commit(50))).status).toBe('COMPLETED');
  });

  it('makes another round of a rejection, with the comment, whatever the limit was', () => {
    const waiting = after(reviewing({ workflow: { merge: 'manual', maxRounds: 1 } }), reviewed('APPROVE'));
    const job = after(waiting, rejects('Use the other name.'));

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'implementing', round: 2, task: { id: taskId('implement.2') } });
    expect(job.reviews.at(-1)).toMatchObject({ decision: 'REQUEST_CHANGES', summary: 'Use the other name.', headCommit: commit(2) });
    expect(reviewRounds(job)).toBeLessThanOrEqual(job.roundsAllowed);
  });

  it('refuses a rejection when nothing waits', () => {
    const job = after(reviewing(), rejects('No.'));

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'reviewing', commands: [{ accepted: false }] });
  });
});

describe('a merge that does not succeed at once', () => {
  it('makes a conflict a round that does not count, with the newest base to merge, ahead of its priority', () => {
    const job = after(merging({ workflow: { maxRounds: 1 } }), conflictsWith(commit(40)));

    expect(job).toMatchObject({ phase: 'implementing', round: 2, conflictRounds: 1, mergeWith: commit(40) });
    expect(reviewRounds(job)).toBe(1);
    expect(pendingEffect(job, 'SendTask')).toMatchObject({ taskId: taskId('implement.2'), priority: 'high' });
    expect(publishedEvents(job)).toContain('ConflictFound');
  });

  it('knows the base as merged with once the work of a conflict round is in', () => {
    const job = after(merging(), conflictsWith(commit(40)), settled, started(), implemented(commit(3)));

    expect(job).toMatchObject({ baseCommit: commit(40), headCommit: commit(3) });
    expect(job.mergeWith).toBeUndefined();
  });

  it('hands the checks that are red on the merge to the next round', () => {
    const checks = [{ command: 'npm test', passed: false, exitCode: 1, durationMs: 5, output: 'expected 1' }];
    const job = after(merging(), merges({ type: 'MergeCheckFailed', baseCommit: commit(40), settings: SETTINGS, checks }));

    expect(job).toMatchObject({ phase: 'implementing', conflictRounds: 1, mergeWith: commit(40), checks });
  });

  it('takes the settings of the base that it is to be merged with', () => {
    const settings = { ...SETTINGS, checks: ['make test'] };
    const job = after(merging(), merges({ type: 'MergeConflicted', baseCommit: commit(40), settings, paths: ['a.ts'] }));

    expect(job.settings).toEqual(settings);
  });

  it('gives up after ten conflict rounds, and allows ten more with a retry', () => {
    const rounds = Array.from({ length: 10 }, (_, n) => conflictRound(commit(100 + n), commit(200 + n)));
    const failed = after(merging(), ...rounds, conflictsWith(commit(150)));
    const again = after(failed, settled, retries(), conflictsWith(commit(151)));

    expect(failed).toMatchObject({ status: 'FAILED', conflictRounds: 10, error: { code: 'conflict_limit', retryable: true } });
    expect(again).toMatchObject({ status: 'IN_PROGRESS', conflictRounds: 11 });
  });

  it('reviews a head that somebody else moved, before it merges anything', () => {
    const job = after(merging({ workflow: { maxRounds: 1 } }), merges({ type: 'HeadMoved', headCommit: commit(60) }));

    expect(job).toMatchObject({ phase: 'reviewing', headCommit: commit(60), changeRequest: { headCommit: commit(60) } });
    expect(pendingTypes(job)).not.toContain('MergeChange');
    expect(after(job, settled, started(), reviewed('APPROVE')).pending.at(-1)?.effect).toMatchObject({ headCommit: commit(60) });
  });

  it('fails when the merge is refused, and merges with a retry', () => {
    const failed = after(merging(), merges(refused));
    const again = after(failed, retries());

    expect(failed).toMatchObject({ status: 'FAILED', error: refusal, stoppedPhase: 'merging' });
    expect(pendingEffect(again, 'MergeChange').headCommit).toBe(commit(2));
  });

  it('waits for a dirty tree to be tidied up, and looks again with every sweep, saying so once', () => {
    const waiting = after(merging(), findsTreeDirty);
    const looking = after(waiting, settled, swept('unknown'));
    const still = after(looking, findsTreeDirty);

    expect(waiting).toMatchObject({ status: 'WAITING_APPROVAL', phase: 'merging', needs: { kind: 'dirty_tree' } });
    expect(publishedEvents(waiting)).toEqual(['ApprovalNeeded']);
    expect(looking).toMatchObject({ status: 'WAITING_APPROVAL', needs: { kind: 'dirty_tree' } });
    expect(pendingTypes(looking)).toEqual(['MergeChange']);
    expect(publishedEvents(still)).toEqual([]);
    expect(after(looking, mergedAs(commit(50)))).toMatchObject({ status: 'COMPLETED', phase: 'done' });
  });

  it('has one merge under way at a time, swept or approved', () => {
    const looking = after(dirty(), swept('unknown'));

    expect(after(looking, swept('unknown'))).toBe(looking);
    expect(pendingTypes(after(looking, approves()))).toEqual(['MergeChange']);
    expect(after(looking, approves()).commands).toMatchObject([{ accepted: false }]);
  });

  it('refuses a rejection while the merge is under way', () => {
    const job = after(dirty(), swept('unknown'), rejects('No.'));

    expect(job).toMatchObject({ status: 'WAITING_APPROVAL', commands: [{ accepted: false }] });
  });

  it('is IN_PROGRESS again when the tree is clean and there is a conflict', () => {
    const job = after(dirty(), swept('unknown'), conflictsWith(commit(40)));

    expect(job).toMatchObject({ status: 'IN_PROGRESS', phase: 'implementing' });
    expect(job.needs).toBeUndefined();
  });
});

describe('a stop', () => {
  it.each([
    ['before the repository is prepared', () => submitted()],
    ['in the queue', () => inQueue()],
    ['while implementing', () => implementing()],
    ['while the work is taken in', () => after(implementing(), delivered(commit(2)))],
    ['while the change is proposed', () => after(implementing(), delivered(commit(2)), accepted)],
    ['while reviewing', () => reviewing()],
    ['while a person is waited for', () => approving()],
    ['while the tree is dirty', () => dirty()],
  ])('%s cancels the job at once', (_, begin) => {
    const before = begin();
    const job = after(before, stops());

    expect(job).toMatchObject({ status: 'CANCELLED', phase: 'done' });
    expect(job.headCommit).toBe(before.headCommit);
    expect(job.commands).toEqual([{ id: 'stop-1', accepted: true }]);
    expect(job.task).toBeUndefined();
    expect(pendingTypes(job).slice(-2)).toEqual(['PublishEvent', 'CloseJob']);
    expect(pendingTypes(job).includes('RevokeTask')).toBe(before.task !== undefined);
    expect(pendingTypes(job)).not.toContain('SendTask');
  });

  it('revokes the dispatch that is out, by its message', () => {
    const job = after(implementing(), stops());

    expect(pendingEffect(job, 'RevokeTask')).toEqual({ type: 'RevokeTask', taskId: taskId('implement.1'), dispatch: 1, streamSeq: 101 });
  });

  it('waits for the outcome while merging: merged is COMPLETED', () => {
    const stopping = after(merging(), stops());

    expect(stopping).toMatchObject({ status: 'IN_PROGRESS', phase: 'merging', stopRequested: true });
    expect(after(stopping, mergedAs(commit(50)))).toMatchObject({ status: 'COMPLETED', changeRequest: { merged: true } });
  });

  it.each([
    ['a conflict', conflictsWith(commit(40))],
    ['red checks', merges({ type: 'MergeCheckFailed', baseCommit: commit(40), settings: SETTINGS, checks: [] })],
    ['a dirty tree', findsTreeDirty],
    ['a head that moved', merges({ type: 'HeadMoved', headCommit: commit(60) })],
  ])('waits for the outcome while merging: %s is CANCELLED, and a retry merges', (_, outcome) => {
    const job = after(merging(), stops(), outcome);

    expect(job).toMatchObject({ status: 'CANCELLED', stoppedPhase: 'merging' });
    expect(pendingEffect(after(job, settled, retries()), 'MergeChange').headCommit).toBe(commit(2));
  });

  it('says nothing to a job that has ended', () => {
    const job = after(merging(), mergedAs(commit(50)), settled);

    expect(after(job, stops())).toBe(job);
    expect(after(job, retries())).toBe(job);
  });
});

describe('a retry', () => {
  it.each([
    ['in the queue', () => inQueue(), 'implement.1'],
    ['while implementing', () => implementing(), 'implement.1'],
    ['while the change is shown', () => after(implementing(), implemented(commit(2))), 'review.1'],
    ['while reviewing', () => reviewing(), 'review.1'],
    ['in the second round', () => after(reviewing(), reviewed('REQUEST_CHANGES'), started()), 'implement.2'],
  ])('of a job stopped %s goes on with what was out', (_, begin, name) => {
    const before = begin();
    const job = after(before, stops(), settled, retries());

    expect(job).toMatchObject({ id: JOB_ID, status: 'PENDING', phase: 'queued', task: { id: taskId(name), dispatch: 2 } });
    expect(pendingEffect(job, 'SendTask')).toMatchObject({ dispatch: 2, attemptsBefore: before.task?.attempt });
    expect(job.headCommit).toBe(before.headCommit);
  });

  it('of a job stopped while its work was taken in has the round done again, fenced off from the first time', () => {
    const job = after(implementing(), delivered(commit(2)), stops(), settled, retries());

    expect(job.task).toMatchObject({ id: taskId('implement.1'), dispatch: 2, attempt: 1 });
  });

  it('of a job stopped before its change was shown shows it first', () => {
    const job = after(implementing(), delivered(commit(2)), accepted, stops(), settled, retries());

    expect(pendingEffect(job, 'ProposeChange').headCommit).toBe(commit(2));
    expect(after(job, settled).task).toMatchObject({ id: taskId('review.1'), dispatch: 1 });
  });

  it('of a job stopped while it waited waits again', () => {
    expect(after(approving(), stops(), settled, retries())).toMatchObject({ status: 'WAITING_APPROVAL', needs: { kind: 'approval' } });
    expect(pendingTypes(after(dirty(), stops(), settled, retries()))).toContain('MergeChange');
  });

  it('stopped again while its review is in the queue goes on with the review', () => {
    const job = after(reviewing(), stops(), settled, retries(), settled, stops('stop-2'), settled, retries('retry-2'));

    expect(job.task).toMatchObject({ id: taskId('review.1'), dispatch: 3 });
  });

  it('after the round limit allows as many rounds again, on the same branch', () => {
    const failed = after(reviewing({ workflow: { maxRounds: 1 } }), reviewed('REQUEST_CHANGES'));
    const job = after(failed, retries());

    expect(failed.status).toBe('FAILED');
    expect(job).toMatchObject({ round: 2, roundsAllowed: 2, headCommit: commit(2), task: { id: taskId('implement.2'), dispatch: 1 } });
    expect(job.error).toBeUndefined();
    expect(job.finishedAt).toBeUndefined();
  });

  it('leaves a job open: what was still to be tidied up is not', () => {
    const job = after(implementing(), stops(), retries());

    expect(pendingTypes(job)).not.toContain('CloseJob');
    expect(publishedEvents(job)).toContain('JobRetried');
  });

  it('is refused while the job runs', () => {
    const job = after(implementing(), retries());

    expect(job).toMatchObject({ status: 'IN_PROGRESS', commands: [{ accepted: false }] });
  });
});

describe('a command', () => {
  it('that comes twice is obeyed once', () => {
    const refusedOnce = after(approving(), approves(commit(3)));
    const approved = after(approving(), approves());

    expect(after(refusedOnce, approves(commit(2)))).toBe(refusedOnce);
    expect(after(approved, approves())).toBe(approved);
    const running = after(implementing(), stops(), retries());
    expect(after(running, stops(), retries())).toBe(running);
  });

  it('is remembered among the last eight', () => {
    const many = Array.from({ length: 12 }, (_, n) => approves(undefined, `c${String(n)}`));
    const job = after(implementing(), ...many);

    expect(job.commands.map(({ id }) => id)).toEqual(['c4', 'c5', 'c6', 'c7', 'c8', 'c9', 'c10', 'c11']);
  });
});

describe('a task that fails', () => {
  it('without work ends the job, with the branch as it was', () => {
    const job = after(reviewing(), fails({ code: 'no_verdict' }));

    expect(job).toMatchObject({ status: 'FAILED', headCommit: commit(2), error: { code: 'no_verdict' }, stoppedPhase: 'reviewing' });
  });

  it('with work keeps that on the branch, and only then ends the job', () => {
    const failing = after(implementing(), fails({ code: 'checks_failed' }, commit(2)));
    const shown = after(failing, accepted);
    const job = after(shown, ends('ProposeChange', { type: 'ChangeProposed', changeRequest: changeRequestOf(shown, commit(2)) }));

    expect(failing).toMatchObject({ status: 'IN_PROGRESS', failing: { code: 'checks_failed' } });
    expect(pendingTypes(failing)).toEqual(['AcceptWork']);
    expect(shown).toMatchObject({ status: 'IN_PROGRESS', headCommit: commit(2) });
    expect(publishedEvents(shown)).not.toContain('ImplementationFinished');
    expect(job).toMatchObject({ status: 'FAILED', headCommit: commit(2), error: { code: 'checks_failed' } });
    expect(after(job, settled, retries()).task).toMatchObject({ id: taskId('implement.1'), dispatch: 2 });
  });

  it('ends for the reason it failed when its work can not be kept', () => {
    const job = after(implementing(), fails({ code: 'timeout' }, commit(2)), ends('AcceptWork', refused));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'timeout' } });
  });

  it('brings no work onto the branch from a reviewer', () => {
    const job = after(reviewing(), fails({}, commit(66)));

    expect(job).toMatchObject({ status: 'FAILED', headCommit: commit(2) });
    expect(pendingTypes(job)).not.toContain('AcceptWork');
  });

  it('by having been abandoned is sent out again at once, the old dispatch revoked', () => {
    const job = after(implementing(), fails({ code: 'abandoned' }));

    expect(job.task).toMatchObject({ id: taskId('implement.1'), dispatch: 2, attempt: 1 });
    expect(pendingTypes(job)).toEqual(['RevokeTask', 'PublishEvent', 'SendTask', 'PublishEvent']);
    expect(pendingEffect(job, 'RevokeTask')).toMatchObject({ dispatch: 1 });
    expect(publishedEvents(job)).toEqual(['TaskRetried', 'TaskSent']);
  });

  it('again and again ends the job at the dispatch limit', () => {
    const abandon: Step = (job) => after(job, started(), fails({ code: 'abandoned' }), settled);
    const fifth = after(inQueue(), abandon, abandon, abandon, abandon);
    const job = after(fifth, abandon);

    expect(fifth.task?.dispatch).toBe(5);
    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'dispatch_limit', retryable: true } });
    expect(after(job, retries()).task).toMatchObject({ dispatch: 6, attempt: 5 });
  });
});

describe('a task that is lost', () => {
  it('is sent out again when two sweeps, well apart, find its message gone', () => {
    const once = after(implementing(), swept('absent'));
    const soon = after(once, swept('absent', MISSING_GRACE_MS - 1));
    const job = after(once, swept('absent', MISSING_GRACE_MS));

    expect(once.task?.missingSince).toBe(once.updatedAt);
    expect(soon).toBe(once);
    expect(job.task).toMatchObject({ id: taskId('implement.1'), dispatch: 2 });
    expect(job.task?.missingSince).toBeUndefined();
  });

  it.each([
    ['its message is found after all', swept('present')],
    ['an agent starts with it', started()],
  ])('is not when %s', (_, sign) => {
    const job = after(implementing(), swept('absent'), sign, swept('absent', MISSING_GRACE_MS));

    expect(job.task?.dispatch).toBe(1);
  });

  it('is not as long as it is not sent, or nobody can tell', () => {
    const unsent = after(implementing(), fails({ code: 'abandoned' }));
    const sent = implementing();

    expect(after(unsent, swept('absent', MISSING_GRACE_MS))).toBe(unsent);
    expect(after(sent, swept('unknown'))).toBe(sent);
    expect(after(sent, swept('present'))).toBe(sent);
  });

  it('is not sent twice when its result comes before it is known to have been sent', () => {
    const unrecorded = after(
      submitted(),
      ends('PrepareRepository', {
        type: 'RepositoryPrepared',
        host: 'box',
        base: 'main',
        baseCommit: BASE,
        settings: { setup: [], checks: [], timeoutMs: 1_000, env: [] },
      }),
    );
    const job = after(unrecorded, delivered(commit(2)));

    expect(pendingTypes(unrecorded)).toContain('SendTask');
    expect(pendingTypes(job)).not.toContain('SendTask');
  });
});

describe('a budget', () => {
  it('ends the job before the next task, with the work so far on its branch', () => {
    const job = after(implementing({ workflow: { maxCostUsd: 1 } }), implemented(commit(2), { costUsd: 1 }));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'budget_exceeded' }, changeRequest: { headCommit: commit(2) } });
    expect(after(job, retries())).toMatchObject({ costAllowedUsd: 2, task: { id: taskId('review.1'), dispatch: 1 } });
  });

  it('that ends at a verdict goes on with the coder, who has to correct it', () => {
    const job = after(implementing({ workflow: { maxCostUsd: 0.7 } }), implemented(commit(2)), started(), reviewed('REQUEST_CHANGES'));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'budget_exceeded' } });
    expect(after(job, retries()).task).toMatchObject({ id: taskId('implement.2'), dispatch: 1 });
  });

  it('that ends when the head moved goes on with a review, and merges nothing nobody has seen', () => {
    const job = after(
      merging({ workflow: { maxCostUsd: 0.7 } }),
      merges({ type: 'HeadMoved', headCommit: commit(60) }),
      settled,
      retries(),
    );

    expect(pendingTypes(job)).not.toContain('MergeChange');
    expect(job.task).toMatchObject({ id: taskId('review.2') });
  });
});

describe('what an attempt cost', () => {
  const costOf = (job: Job, attempt: number, costUsd: number, dispatch = 1): Job =>
    decide(job, {
      type: 'UsageReported',
      taskId: taskId('implement.1'),
      dispatch,
      attempt,
      usage: { inputTokens: 1, outputTokens: 0, costUsd },
      at: next(job),
    });

  it('counts as soon as it is told, and once', () => {
    const first = costOf(implementing(), 1, 0.25);
    const job = costOf(costOf(first, 1, 0.75), 1, 0.25);

    expect(first.usage).toEqual({ inputTokens: 1, outputTokens: 0, costUsd: 0.25 });
    expect(job.usage).toEqual({ inputTokens: 1, outputTokens: 0, costUsd: 0.75 });
    expect(costOf(job, 1, 0.75)).toBe(job);
    expect(after(job, implemented(commit(2), { costUsd: 1 })).usage.costUsd).toBe(1);
  });

  it('counts for each of them, whatever became of it', () => {
    const first = costOf(implementing(), 1, 0.5);
    const job = costOf(costOf(after(first, started(2)), 2, 0.5), 1, 1);
    const again = after(job, fails({ code: 'abandoned' }), settled, started());
    const ended = after(costOf(again, 1, 1, 2), stops(), settled);

    expect(job.usage.costUsd).toBe(1.5);
    expect(ended.usage.costUsd).toBe(2.5);
    expect(costOf(ended, 3, 0.25, 2)).toMatchObject({ status: 'CANCELLED', usage: { costUsd: 2.75 } });
  });

  it('keeps another one from beginning where it is over the limit', () => {
    const job = costOf(implementing({ workflow: { maxCostUsd: 1 } }), 1, 1);

    expect(job.status).toBe('IN_PROGRESS');
    expect(after(job, started(2))).toMatchObject({ status: 'FAILED', error: { code: 'budget_exceeded' } });
    expect(pendingTypes(after(job, started(2)))).toContain('RevokeTask');
    expect(after(job, delivered(commit(2), { costUsd: 1 })).status).toBe('IN_PROGRESS');
  });
});

describe('what comes late or twice', () => {
  it('says nothing from an attempt that was replaced', () => {
    const first = implementing();
    const job = after(first, started(2));

    expect(decide(job, startOf(first, 1))).toBe(job);
    expect(addsOnlyCosts(job, decide(job, implementationOf(first, commit(8))))).toBe(true);
    expect(addsOnlyCosts(job, decide(job, failureOf(first)))).toBe(true);
  });

  it('says nothing from a dispatch that was replaced, but that its agent is to be ended', () => {
    const first = implementing();
    const job = after(first, fails({ code: 'abandoned' }), settled, started());
    const stray = decide(job, startOf(first, 3));

    expect(addsOnlyCosts(job, decide(job, implementationOf(first, commit(8))))).toBe(true);
    expect(pendingEffect(stray, 'RevokeTask')).toMatchObject({ taskId: taskId('implement.1'), dispatch: 1 });
    expect(stray.task).toEqual(job.task);
  });

  it('says nothing when it was said already', () => {
    const coding = implementing();
    const judging = reviewing();

    expect(decide(coding, startOf(coding, 1))).toBe(coding);
    expect(decide(judging, implementationOf(coding, commit(2)))).toBe(judging);
    expect(decide(merging(), reviewOf(judging, 'APPROVE'))).toEqual(merging());
  });

  it('says nothing of an effect that is known to be done', () => {
    const job = inQueue();

    expect(decide(job, { type: 'EffectFinished', effectId: 1, outcome: { type: 'Done' }, at: next(job) })).toBe(job);
  });

  it('says nothing to a job that has ended', () => {
    const coding = implementing();
    const job = after(coding, stops(), settled);

    expect(job.pending).toEqual([]);
    expect(decide(job, startOf(coding, 2))).toBe(job);
    expect(addsOnlyCosts(job, decide(job, implementationOf(coding, commit(2))))).toBe(true);
    expect(addsOnlyCosts(job, decide(job, failureOf(coding)))).toBe(true);
    expect(after(job, swept('absent'), swept('absent', MISSING_GRACE_MS))).toBe(job);
  });

  it('is refused as a command that was given before the retry of its job', () => {
    const ended = after(implementing(), fails(), settled);
    const job = decide(ended, { type: 'RetryRequested', commandId: 'retry', seq: 6, at: next(ended) });
    const at = next(job);
    const late = decide(job, { type: 'StopRequested', commandId: 'late', seq: 5, at });

    expect(late).toEqual({ ...job, updatedAt: at, commands: [...job.commands, expect.objectContaining({ id: 'late', accepted: false })] });
    expect(decide(job, { type: 'StopRequested', commandId: 'new', seq: 7, at }).status).toBe('CANCELLED');
  });

  it('is nothing to a job that has ended again, even a retry', () => {
    const ended = after(implementing(), fails(), settled);
    const again = after(decide(ended, { type: 'RetryRequested', commandId: 'newer', seq: 6, at: next(ended) }), settled, fails(), settled);

    expect(again.status).toBe('FAILED');
    expect(decide(again, { type: 'RetryRequested', commandId: 'older', seq: 5, at: next(again) })).toBe(again);
  });

  it('does not reject another head than the one that was looked at', () => {
    const waiting = approving();
    const rejection = (headCommit: string | undefined) =>
      decide(waiting, { type: 'RejectRequested', commandId: 'r', comment: 'No.', headCommit, at: next(waiting) });

    expect(rejection(commit(77)).commands.at(-1)).toMatchObject({ accepted: false, message: expect.stringContaining(commit(77)) });
    expect(rejection(commit(77)).round).toBe(waiting.round);
    expect(rejection(waiting.headCommit).round).toBe(waiting.round + 1);
    expect(rejection(undefined).round).toBe(waiting.round + 1);
  });

  it('does not turn the clock back', () => {
    const job = implementing();

    expect(decide(job, { type: 'StopRequested', commandId: 's', at: 5 }).updatedAt).toBe(job.updatedAt);
  });
});
