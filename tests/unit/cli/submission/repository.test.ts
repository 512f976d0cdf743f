import { describe, expect, it } from '@jest/globals';
import { createFaults } from '../../../../src/cli/submission/faults.ts';
import { forgeUrl } from '../../../../src/cli/submission/forge-url.ts';
import { parseRepository } from '../../../../src/cli/submission/repository.ts';
import { InvalidInputError } from '../../../../src/shared/errors/errors.ts';

function urlOrCode(text: string): string {
  const faults = createFaults();
  const url = forgeUrl(text, faults);
  try {
    faults.throwIfAny();
    return url ?? 'nothing';
  } catch (error) {
    return error instanceof InvalidInputError ? error.code : 'another error';
  }
}

describe('forgeUrl', () => {
  it.each([
    'owner/repo',
    'https://github.com/owner/repo',
    'https://github.com/owner/repo.git',
    'https://GitHub.com/owner/repo/',
    'git@github.com:owner/repo.git',
    'ssh://git@github.com/owner/repo.git',
  ])('normalises %s', (text) => {
    expect(urlOrCode(text)).toBe('https://github.com/owner/repo');
  });

  it.each([
    'http://github.com/owner/repo',
    'file:///etc',
    'ext::sh -c id',
    'https://user@github.com/owner/repo',
    'https://user:secret@github.com/owner/repo',
    'ssh://root@github.com/owner/repo',
    'https://127.0.0.1/owner/repo',
    'https://2130706433/owner/repo',
    'https://[::1]/owner/repo',
    'https://10.0.0.1/owner/repo',
    'https://localhost/owner/repo',
    'https://metadata.internal/owner/repo',
    'https://github.com:8443/owner/repo',
    'https://github.com/owner',
    'https://github.com/owner/..',
    'https://github.com/owner/repo/tree/main',
    'https://github.com/owner/repo?x=1',
    'https://github.com/-owner/repo',
  ])('refuses %s', (text) => {
    expect(urlOrCode(text)).toBe('bad_repository');
  });

  it.each(['https://gitlab.com/owner/repo', 'https://github.com.evil.org/owner/repo'])('knows no forge for %s', (text) => {
    expect(urlOrCode(text)).toBe('forge_not_available');
  });

  it('never repeats a credential', () => {
    const faults = createFaults();
    forgeUrl('https://user:canary@github.com/owner/repo', faults);

    expect(() => faults.throwIfAny()).toThrow(/user or a password/);
    expect(() => faults.throwIfAny()).not.toThrow(/canary/);
  });
});

describe('parseRepository', () => {
  const place = { cwd: '/work/dir', home: '/home/me', local: false };

  it.each([
    ['/a/b/', '/a/b'],
    ['./app', '/work/dir/app'],
    ['../app', '/work/app'],
    ['app', '/work/dir/app'],
    ['~', '/home/me'],
    ['~/code/app', '/home/me/code/app'],
    ['--upload-pack=id', '/work/dir/--upload-pack=id'],
  ])('makes the path %s absolute', async (text, url) => {
    expect(await parseRepository(text, place, createFaults())).toEqual({ kind: 'local', url });
  });
});
