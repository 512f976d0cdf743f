import { describe, expect, it } from '@jest/globals';
import { resolveMarkers } from '../../../../../src/shared/runner/replay/resolve-markers.ts';

const DIFF3 = `title
=======
<<<<<<< ours
a
||||||| base
b
=======
c
>>>>>>> theirs
between
<<<<<<< ours
=======
d
>>>>>>> theirs
`;

describe('resolveMarkers', () => {
  it.each([
    ['ours', 'title\n=======\na\nbetween\n'],
    ['theirs', 'title\n=======\nc\nbetween\nd\n'],
    ['union', 'title\n=======\na\nc\nbetween\nd\n'],
  ] as const)('takes %s', (resolution, resolved) => {
    expect(resolveMarkers(DIFF3, resolution)).toBe(resolved);
  });

  it('leaves a text without markers as it is', () => {
    expect(resolveMarkers('a\n=======\n>>>>>>> b\n', 'union')).toBe('a\n=======\n>>>>>>> b\n');
  });
});
