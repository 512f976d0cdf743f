import { expect, it } from '@jest/globals';
import { parseDuration } from '../../../../src/cli/submission/duration.ts';

it.each([
  ['30m', 1_800_000],
  ['90s', 90_000],
  ['2h', 7_200_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['500ms', 500],
])('reads %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(['', '30', 'm', '30x', '-5m', '30 m', '30m!', '1e3s'])('does not guess what %j means', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
