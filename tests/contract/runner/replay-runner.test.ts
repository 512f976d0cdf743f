import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createReplayRunner } from '../../../src/shared/runner/replay/replay-runner.ts';
import { type Runner, type RunnerTask, usageOfFailure } from '../../../src/shared/runner/runner.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { failureOf, runnerContract, type TestTask, testTask } from './runner-contract.ts';

const recordings = temporaryDirectory('recordings');
let count = 0;

afterAll(() => {
  recordings.remove();
});

function replayOf(...entries: object[]): Runner {
  const recording = join(recordings.path, `${String(++count)}.jsonl`);
  writeFileSync(recording, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  return createReplayRunner({ recording });
}

const said = (...texts: string[]): object[] => texts.map((text) => ({ type: 'stdout', text }));
const approval = { decision: 'approve', summary: 'Add --json' };

runnerContract('replay', {
  edits: () => replayOf({ role: 'coder', edits: [{ path: 'written.txt', content: 'written\n' }], summary: 'wrote written.txt' }),
  approves: () =>
    replayOf({
      role: 'reviewer',
      events: said('looking at the change'),
      verdict: approval,
      usage: { inputTokens: 7, outputTokens: 3, costUsd: 0.5 },
    }),
  fails: () => replayOf({ role: 'coder', fail: { code: 'runner_failed', message: 'no luck today' } }),
  isUnavailable: () => replayOf({ role: 'coder', fail: { code: 'runner_unavailable' } }),
  givesNoVerdict: () => replayOf({ role: 'reviewer', fail: { code: 'invalid_verdict' } }),
  fallsSilent: () => replayOf({ role: 'coder', events: [{ text: 'started' }, { text: 'never', afterMs: 3_600_000 }] }),
  neverEnds: () => replayOf({ role: 'coder', events: Array.from({ length: 100 }, () => ({ text: 'still here', afterMs: 100 })) }),
  counts: () => replayOf({ role: 'coder', events: said(...Array.from({ length: 2_000 }, (_, index) => String(index + 1))) }),
});

describe('runner replay', () => {
  let current: TestTask;

  beforeEach(() => {
    current = testTask();
  });

  afterEach(() => {
    current.remove();
  });

  it('says what a run cost that fails', async () => {
    const usage = { inputTokens: 7, outputTokens: 3, costUsd: 0.5 };
    const runner = replayOf({ role: 'coder', usage, fail: { code: 'runner_unavailable' } });

    expect(usageOfFailure(await failureOf(runner.run(current.task)))).toEqual(usage);
  });

  it('says that no model was asked', () => {
    expect(replayOf({ role: 'coder' }).description).toMatch(/^replay \(recorded, no model\): \d+\.jsonl$/);
  });

  it('needs no workspace to review', () => {
    expect(replayOf({ role: 'reviewer', verdict: approval }).needsWorkspace('reviewer')).toBe(false);
  });

  it('carries out its edits in order', async () => {
    write('old.txt', 'gone soon');
    write('kept.txt', 'one\ntwo\n');
    const runner = replayOf({
      role: 'coder',
      edits: [
        { path: 'src/new.txt', content: 'first\n' },
        { path: 'src/new.txt', append: 'second\n' },
        { path: 'kept.txt', replace: { from: 'two', to: '$& and three' } },
        { path: 'old.txt', delete: true },
        { path: 'never-was.txt', delete: true },
      ],
    });

    await runner.run(current.task);

    expect(read('src/new.txt')).toBe('first\nsecond\n');
    expect(read('kept.txt')).toBe('one\n$& and three\n');
    expect(existsSync(join(current.task.workspace, 'old.txt'))).toBe(false);
  });

  it('plays a replacement again without harm', async () => {
    write('kept.txt', 'one\n');
    const runner = replayOf({ role: 'coder', edits: [{ path: 'kept.txt', replace: { from: 'one', to: 'two' } }] });

    await runner.run(current.task);
    await runner.run({ ...current.task, round: 2 });

    expect(read('kept.txt')).toBe('two\n');
  });

  it.each([
    ['a file that is missing', { path: 'missing.txt', replace: { from: 'a', to: 'b' } }, 'no file missing.txt'],
    ['a text that is missing', { path: 'kept.txt', replace: { from: 'nowhere', to: 'at all' } }, 'kept.txt does not hold'],
    ['a file that is a directory', { path: 'folder', content: '' }, 'is no plain file'],
    ['a directory that is a file', { path: 'kept.txt/inside', content: '' }, 'goes through a file'],
  ])('fails where the recording does not fit the repository: %s', async (_, edit, message) => {
    write('kept.txt', 'one\n');
    mkdirSync(join(current.task.workspace, 'folder'));

    const failure = await failureOf(replayOf({ role: 'coder', edits: [edit] }).run(current.task));

    expect(failure).toMatchObject({ code: 'runner_failed', message: expect.stringContaining(message) });
  });

  it('resolves conflict markers in every conflicted file', async () => {
    write('a.txt', 'top\n<<<<<<< ours\nmine\n||||||| base\nbase\n=======\nyours\n>>>>>>> theirs\nend\n');
    const task = withConflicts('a.txt');
    const runner = replayOf(
      { role: 'coder', edits: [{ path: 'a.txt', content: 'wrong entry' }] },
      { role: 'coder', match: { conflicts: true }, edits: [{ resolve: 'union' }] },
    );

    await runner.run(task);

    expect(read('a.txt')).toBe('top\nmine\nyours\nend\n');
  });

  it.each([
    ['through a linked directory', 'out/secret.txt'],
    ['through a link to nowhere', 'nowhere/secret.txt'],
    ['by a linked file', 'linked.txt'],
    ['into .git behind a link', 'hidden/config'],
  ])('writes nothing outside of the workspace %s', async (_, path) => {
    const outside = join(dirname(current.task.workspace), 'outside');
    mkdirSync(outside);
    mkdirSync(join(current.task.workspace, '.git'));
    writeFileSync(join(outside, 'target.txt'), 'untouched');
    for (const [to, from] of [
      [outside, 'out'],
      [join(outside, 'nothing'), 'nowhere'],
      [join(outside, 'target.txt'), 'linked.txt'],
      ['.git', 'hidden'],
    ] as const) {
      symlinkSync(to, join(current.task.workspace, from));
    }

    for (const edit of [
      { path, content: 'planted' },
      { path, append: 'planted' },
    ]) {
      const failure = await failureOf(replayOf({ role: 'coder', edits: [edit] }).run(current.task));
      expect(failure).toMatchObject({ code: 'runner_failed', message: expect.stringContaining(path) });
    }

    expect(readFileSync(join(outside, 'target.txt'), 'utf8')).toBe('untouched');
    expect(existsSync(join(outside, 'secret.txt'))).toBe(false);
    expect(existsSync(join(outside, 'nothing'))).toBe(false);
    expect(existsSync(join(current.task.workspace, '.git/config'))).toBe(false);
  });

  it('removes a link, not what it points to', async () => {
    const target = join(dirname(current.task.workspace), 'target.txt');
    writeFileSync(target, 'untouched');
    symlinkSync(target, join(current.task.workspace, 'linked.txt'));

    await replayOf({ role: 'coder', edits: [{ path: 'linked.txt', delete: true }] }).run(current.task);

    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(existsSync(join(current.task.workspace, 'linked.txt'))).toBe(false);
  });

  it('fails where the recording has nothing for the task', async () => {
    const failure = await failureOf(replayOf({ role: 'reviewer', verdict: approval }).run(current.task));

    expect(failure).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('nothing for a coder in round 1') });
  });

  function withConflicts(path: string): RunnerTask {
    const conflicts = [{ path, base: 'base\n', ours: 'mine\n', theirs: 'yours\n' }];
    return { ...current.task, context: { ...current.task.context, conflicts } };
  }

  function write(path: string, text: string): void {
    writeFileSync(join(current.task.workspace, path), text);
  }

  function read(path: string): string {
    return readFileSync(join(current.task.workspace, path), 'utf8');
  }
});
