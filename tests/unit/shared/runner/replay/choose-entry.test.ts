import { describe, expect, it } from '@jest/globals';
import { type AskedFor, chooseEntry } from '../../../../../src/shared/runner/replay/choose-entry.ts';
import { RecordedEntry } from '../../../../../src/shared/runner/replay/recording.ts';

function chosen(entries: object[], task: Partial<AskedFor> = {}, title = 'Add --json', conflicts: string[] = []): string | undefined {
  const context = {
    feature: { title, description: '', requirements: [], acceptanceCriteria: [] },
    baseCommit: 'a'.repeat(40),
    reviews: [],
    conflicts: conflicts.map((path) => ({ path, base: null, ours: null, theirs: null })),
  };
  const parsed = entries.map((entry) => RecordedEntry.parse({ role: 'coder', ...entry }));
  return chooseEntry(parsed, { role: 'coder', round: 1, tryNumber: 1, context, ...task })?.summary;
}

describe('chooseEntry', () => {
  const entries = [
    { summary: 'any' },
    { round: 2, summary: 'second' },
    { round: 2, try: 2, summary: 'second, again' },
    { role: 'reviewer', summary: 'review', fail: { code: 'runner_failed' } },
  ];

  it.each([
    [1, 1, 'any'],
    [2, 1, 'second'],
    [2, 2, 'second, again'],
    [2, 3, 'second'],
    [3, 1, 'any'],
  ])('plays in round %i, try %i, %s', (round, tryNumber, summary) => {
    expect(chosen(entries, { round, tryNumber })).toBe(summary);
  });

  it('plays only what is of the role', () => {
    expect(chosen(entries, { role: 'reviewer' })).toBe('review');
    expect(chosen([{ role: 'reviewer', fail: { code: 'runner_failed' } }])).toBeUndefined();
  });

  it('plays the last one before again, where nothing else answers', () => {
    const rounds = [
      { round: 1, summary: 'first' },
      { round: 2, try: 1, summary: 'second' },
      { round: 2, try: 2, summary: 'second, again' },
    ];

    expect(chosen(rounds, { round: 5 })).toBe('second');
    expect(chosen(rounds, { round: 5, tryNumber: 9 })).toBe('second, again');
    expect(chosen(rounds, { round: 1, tryNumber: 4 })).toBe('first');
  });

  it('never plays a later round or try', () => {
    expect(chosen([{ round: 2 }])).toBeUndefined();
    expect(chosen([{ try: 2 }])).toBeUndefined();
  });

  it('prefers what is for the feature, and plays nothing that is for another', () => {
    const titled = [
      { round: 1, summary: 'any' },
      { match: { title: '--json' }, summary: 'json' },
      { match: { title: '--xml' }, summary: 'xml' },
    ];

    expect(chosen(titled)).toBe('json');
    expect(chosen(titled, {}, 'Add --yaml')).toBe('any');
    expect(chosen(titled.slice(1), {}, 'Add --yaml')).toBeUndefined();
  });

  it('prefers what is for conflicts, where there are some', () => {
    const both = [
      { round: 1, summary: 'any' },
      { match: { conflicts: true }, summary: 'conflict' },
    ];

    expect(chosen(both, {}, 'Add --json', ['a.txt'])).toBe('conflict');
    expect(chosen(both)).toBe('any');
    expect(chosen(both.slice(0, 1), {}, 'Add --json', ['a.txt'])).toBe('any');
  });
});
