import { expect, it } from '@jest/globals';
import { visible } from '../../../../src/cli/render/visible.ts';
import { padded, truncated, widthOf } from '../../../../src/cli/render/width.ts';

it.each([
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007text', 'text'],
  ['\u001b]8;;https://evil\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['a\u0008b\rc', 'a b c'],
  ['\u202egnp.exe', ' gnp.exe'],
  ['tab\tstays', 'tab\tstays'],
])('takes out of %j what a terminal would act on', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

it('counts cells, not characters', () => {
  expect([widthOf('abc'), widthOf('日本'), widthOf('👩‍👩‍👧'), widthOf('é')]).toEqual([3, 4, 2, 1]);
  expect(truncated('日本語', 4)).toBe('日…');
  expect(truncated('abc', 3)).toBe('abc');
  expect(padded('日', 4)).toBe('日  ');
});
