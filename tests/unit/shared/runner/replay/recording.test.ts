import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../../../../../src/shared/errors/errors.ts';
import { readRecording } from '../../../../../src/shared/runner/replay/recording.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';

describe('readRecording', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;

  beforeEach(() => {
    directory = temporaryDirectory('recording');
    path = join(directory.path, 'it.jsonl');
  });

  afterEach(() => {
    directory.remove();
  });

  function read(...lines: (string | object)[]): ReturnType<typeof readRecording> {
    writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
    return readRecording(path);
  }

  function faultsOf(...lines: (string | object)[]): readonly string[] {
    try {
      read(...lines);
    } catch (error) {
      if (error instanceof InvalidInputError) return error.faults.map((fault) => fault.replace(path, 'it'));
    }
    return [];
  }

  it('fills in what an entry leaves out', () => {
    expect(read('# a comment', '', { role: 'coder', events: [{ text: 'hello' }] })).toEqual([
      { role: 'coder', events: [{ type: 'note', text: 'hello', afterMs: 0 }], edits: [], summary: '' },
    ]);
  });

  it('takes every kind of edit', () => {
    const edits = [
      { path: 'a', content: '' },
      { path: 'a', append: 'x' },
      { path: 'a', replace: { from: 'x', to: '' } },
      { path: 'a', delete: true },
      { path: 'a', resolve: 'ours' },
      { resolve: 'theirs' },
    ];

    expect(read({ role: 'coder', edits })[0]?.edits).toEqual(edits);
  });

  it('names every fault with its line', () => {
    const faults = faultsOf(
      'not JSON',
      { role: 'manager' },
      '',
      { role: 'coder', rounds: 1 },
      { role: 'reviewer' },
      { role: 'reviewer', round: 1, verdict: { decision: 'maybe' } },
      { role: 'reviewer', round: 2, verdict: { decision: 'approve' }, edits: [{ path: 'a', content: '' }] },
      { role: 'coder', round: 0 },
      { role: 'coder', verdict: { decision: 'approve' } },
      { role: 'coder', round: 7, fail: { code: 'no_such_code' } },
    );

    expect(faults.map((fault) => fault.slice(0, fault.indexOf(': ')))).toEqual(
      [1, 2, 4, 5, 6, 7, 8, 9, 10].map((line) => `it:${String(line)}`),
    );
    expect(faults.slice(3, 6)).toEqual([
      'it:5: verdict: a reviewer gives one',
      expect.stringContaining('it:6: verdict: the verdict is not valid: decision'),
      'it:7: edits: a reviewer edits nothing',
    ]);
  });

  it.each(['../out', '/etc/passwd', '.git/config', 'a/../../b'])('refuses an edit of %s', (file) => {
    expect(faultsOf({ role: 'coder', edits: [{ path: file, content: '' }] })).toHaveLength(1);
  });

  it('refuses two entries that answer the same', () => {
    expect(faultsOf({ role: 'coder', round: 1 }, { role: 'coder' }, { round: 1, role: 'coder' })).toEqual([
      'it:3: answers the same as line 1',
    ]);
  });

  it('refuses a recording without an entry, or that is not there', () => {
    expect(faultsOf('# nothing')).toEqual(['it: the recording has no entry']);
    expect(() => readRecording(join(directory.path, 'missing'))).toThrow(InvalidInputError);
  });
});
