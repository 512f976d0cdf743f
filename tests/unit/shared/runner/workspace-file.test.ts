import { describe, expect, it } from '@jest/globals';
import { faultOfPath } from '../../../../src/shared/runner/workspace-file.ts';

describe('faultOfPath', () => {
  it.each(['a', 'a/b.txt', '.gitignore', '.github/workflows/a.yml', 'a..b', '...', 'a/./b'])('takes %s', (path) => {
    expect(faultOfPath(path)).toBeUndefined();
  });

  it.each([
    ['', 'is not a path'],
    ['a\0b', 'is not a path'],
    ['/etc/passwd', 'must be relative'],
    ['../a', 'leads out'],
    ['a/../../b', 'leads out'],
    ['a\\..\\..\\b', 'leads out'],
    ['.git/config', 'lies in .git'],
    ['a/.GIT/hooks/x', 'lies in .git'],
    ['.git. /config', 'lies in .git'],
    ['GIT~1/config', 'lies in .git'],
    ['.git', 'lies in .git'],
    ['a/', 'names no file'],
    ['.', 'names no file'],
  ])('refuses %j', (path, fault) => {
    expect(faultOfPath(path)).toContain(fault);
  });
});
