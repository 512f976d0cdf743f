import { describe, expect, it } from '@jest/globals';
import { InterruptedError, RetryableError, TerminalError } from '../../../../src/shared/errors/errors.ts';
import { gitFailure, withoutCredentials } from '../../../../src/shared/git/failure.ts';

const ended = (stderr: string, more = {}) => gitFailure({ args: ['update-ref', '--stdin'], exitCode: 128, stderr, ...more });

describe('the error of a git process', () => {
  it.each([
    ["fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process seems to be running", 'repository_locked'],
    [
      "fatal: prepare: cannot lock ref 'refs/heads/main': Unable to create '/r/.git/refs/heads/main.lock': File exists.",
      'repository_locked',
    ],
    [`fatal: prepare: cannot lock ref 'refs/heads/main': is at ${'1'.repeat(40)} but expected ${'2'.repeat(40)}`, 'ref_moved'],
    ["fatal: prepare: cannot lock ref 'refs/heads/x': reference already exists", 'ref_moved'],
    ["fatal: prepare: cannot lock ref 'refs/heads/x': unable to resolve reference 'refs/heads/x'", 'ref_moved'],
    ['fatal: write error: No space left on device', 'disk_full'],
    ["fatal: cannot lock ref 'refs/heads/main': Unable to create '/r/.git/refs/heads/main.lock': No space left on device", 'disk_full'],
  ])('can be tried again: %s', (stderr, code) => {
    const error = ended(stderr);

    expect(error).toBeInstanceOf(RetryableError);
    expect(error.code).toBe(code);
  });

  it.each([
    ['fatal: bad object', {}, 'git_failed'],
    ["fatal: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'", {}, 'ref_conflict'],
    ["fatal: Unable to create '/r/.git/index.lock': Permission denied", {}, 'git_failed'],
    ["fatal: cannot lock ref 'refs/heads/main': Unable to create '/r/.git/refs/heads/main.lock': Read-only file system", {}, 'git_failed'],
    ["fatal: cannot lock ref 'refs/heads/x': there is a non-empty directory '/r/.git/refs/heads/x' blocking reference", {}, 'git_failed'],
    ['', { startError: 'ENOENT', exitCode: undefined }, 'git_missing'],
    ['', { startError: 'EACCES', exitCode: undefined }, 'git_failed'],
    ['', { tooLong: true }, 'git_output_too_long'],
  ])('is final: %s %j', (stderr, more, code) => {
    const error = ended(stderr, more);

    expect(error).toBeInstanceOf(TerminalError);
    expect(error.code).toBe(code);
  });

  it.each([
    ['EMFILE', 'too_many_files'],
    ['EAGAIN', 'host_busy'],
  ])('can be tried again where no process could be started: %s', (startError, code) => {
    const error = ended('', { startError, exitCode: undefined });

    expect(error).toBeInstanceOf(RetryableError);
    expect(error.code).toBe(code);
  });

  it('tells an interruption and a limit', () => {
    expect(ended('', { interrupted: true })).toBeInstanceOf(InterruptedError);
    expect(ended('', { timedOut: true }).code).toBe('git_timeout');
  });

  it('shows no credential, and only the end of much text', () => {
    const error = ended(`${'x'.repeat(5_000)}\nfatal: https://user:secret@host/r failed`);

    expect(JSON.stringify({ message: error.message, details: error.details })).not.toContain('secret');
    expect(String(error.details['stderr']).length).toBeLessThanOrEqual(2_000);
    expect(error.message).toBe('git update-ref failed: fatal: https://host/r failed');
    expect(withoutCredentials('ssh://a@b and https://x:y@z/')).toBe('ssh://b and https://z/');
  });
});
