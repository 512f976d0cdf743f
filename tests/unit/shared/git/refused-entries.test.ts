import { describe, expect, it } from '@jest/globals';
import { isRefusedName, leavesTree } from '../../../../src/shared/git/refused-entries.ts';

describe('symbolic links of a change', () => {
  it.each([
    ['l', 'a.txt', false],
    ['l', './d/x', false],
    ['d/e/l', '../../a', false],
    ['d/l', '..', false],
    ['l', '/etc/passwd', true],
    ['l', '..', true],
    ['d/l', '../..', true],
    ['l', 'd/../..', true],
    ['l', 'd/../a', true],
    ['l', '.git/config', true],
    ['l', 'd/.GIT/x', true],
  ])('%s to %s leaves the tree: %s', (name, target, leaves) => {
    expect(leavesTree(name, target)).toBe(leaves);
  });

  it('knows .git in any case', () => {
    expect(['a/.Git/b', '.git', '.gitignore', 'x.git'].map(isRefusedName)).toEqual([true, true, false, false]);
  });
});
