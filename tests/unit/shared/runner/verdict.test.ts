import { describe, expect, it } from '@jest/globals';
import { Review } from '../../../../src/shared/domain/review.ts';
import { placeComments } from '../../../../src/shared/runner/place-comments.ts';
import { parseVerdict } from '../../../../src/shared/runner/verdict.ts';

describe('parseVerdict', () => {
  it('takes a full verdict as it is', () => {
    const given = {
      decision: 'REQUEST_CHANGES',
      summary: 'not yet',
      comments: [{ path: 'src/a.ts', line: 3, side: 'LEFT', severity: 'error', body: 'wrong', suggestion: 'right' }],
    };

    const verdict = parseVerdict(given);

    expect(verdict).toEqual(given);
    expect(Review.safeParse({ ...verdict, round: 1, headCommit: 'a'.repeat(40) }).success).toBe(true);
  });

  it.each([
    ['approve', 'APPROVE'],
    [' Approved ', 'APPROVE'],
    ['request changes', 'REQUEST_CHANGES'],
    ['Request-Changes', 'REQUEST_CHANGES'],
    ['CHANGES_REQUESTED', 'REQUEST_CHANGES'],
    ['comment', 'COMMENT'],
  ])('reads the decision %j', (given, decision) => {
    expect(parseVerdict({ decision: given })).toEqual({ decision, summary: '', comments: [] });
  });

  it.each([
    ['no decision', { summary: 'fine' }, 'decision'],
    ['an unknown decision', { decision: 'LGTM' }, 'decision'],
    ['no object', 'APPROVE', 'verdict'],
    ['null', null, 'verdict'],
    ['comments that are no list', { decision: 'APPROVE', comments: 'none' }, 'comments'],
    ['a comment without a body', { decision: 'APPROVE', comments: [{ path: 'a', line: 1 }] }, 'comments.0.body'],
  ])('refuses %s', (_, given, place) => {
    expect(() => parseVerdict(given)).toThrow(
      expect.objectContaining({ code: 'invalid_verdict', message: expect.stringContaining(place) }),
    );
  });

  it('is tolerant of the form of comments', () => {
    const comment = { path: './a.ts', line: 1, side: 'left', severity: 'Critical', body: 'x', suggestion: null, confidence: 0.3 };

    const { comments } = parseVerdict({ decision: 'COMMENT', summary: null, comments: [comment, { ...comment, body: ' ' }], extra: true });

    expect(comments).toEqual([{ path: 'a.ts', line: 1, side: 'LEFT', severity: 'warning', body: 'x' }]);
  });

  it('moves comments that name no line to the summary', () => {
    const comments = [
      { path: 'a.ts', body: 'all of it' },
      { line: 3, body: 'somewhere' },
      { path: 'b.ts', line: 0, severity: 'error', body: 'zero' },
    ];

    const verdict = parseVerdict({ decision: 'COMMENT', summary: 'see below', comments });

    expect(verdict.comments).toEqual([]);
    expect(verdict.summary).toBe('see below\n- a.ts [warning] all of it\n- [warning] somewhere\n- b.ts [error] zero');
  });

  it.each([
    ['ASCII', 'x'],
    ['characters of three bytes', '\u20ac'],
    ['control characters', '\u0001'],
  ])('keeps within 256 KB as a whole, of %s, and says what it left out', (_, character) => {
    const body = character.repeat(5_000);
    const comments = Array.from({ length: 400 }, () => ({ path: 'a.ts', line: 1, body, suggestion: body }));

    const verdict = parseVerdict({ decision: 'REQUEST_CHANGES', summary: character.repeat(100_000), comments });
    const placed = placeComments(verdict, '');

    expect(verdict.comments.length).toBeGreaterThan(0);
    expect(verdict.summary).toMatch(/\(\d+ more comments were left out\)$/);
    for (const given of [verdict, placed]) expect(Buffer.byteLength(JSON.stringify(given))).toBeLessThanOrEqual(256 * 1024);
  });

  it('keeps within the limits of a review, and says what it left out', () => {
    const comments = Array.from({ length: 512 }, () => ({ path: 'a', line: 1, body: 'x'.repeat(30_000) }));

    const verdict = parseVerdict({ decision: 'COMMENT', summary: 'many', comments });

    expect(verdict.summary).toBe('many\n(505 more comments were left out)');
    expect(Review.safeParse({ ...verdict, round: 1, headCommit: 'a'.repeat(40) }).success).toBe(true);
    expect(parseVerdict({ decision: 'COMMENT', summary: 'x'.repeat(200_000) }).summary).toHaveLength(100_000);
  });
});
