import { describe, expect, it } from '@jest/globals';
import { RetryableError, TerminalError } from '../../../../../src/shared/errors/errors.ts';
import type { ProcessResult } from '../../../../../src/shared/process/run-process.ts';
import { errorOf } from '../../../../../src/shared/runner/command/outcome.ts';
import { startErrorOf } from '../../../../../src/shared/runner/run-error.ts';

const limits = { wallMs: 60_000, stallMs: 1_500 };

function ended(changes: Partial<ProcessResult>): ProcessResult {
  const result = { exitCode: 0, signal: null, endedBy: null, stdout: '', stderr: '', droppedBytes: 0, durationMs: 5, survivors: [] };
  return { ...result, ...changes };
}

describe('errorOf', () => {
  it('is none for exit status 0', () => {
    expect(errorOf(ended({}), limits)).toBeUndefined();
  });

  it.each([
    [{ exitCode: 1 }, 'runner_failed', 'the runner failed (exit status 1)'],
    [{ exitCode: 2, stderr: 'a\nlast words\n' }, 'runner_failed', 'the runner failed (exit status 2): last words'],
    [{ exitCode: 2, stdout: 'only out\n' }, 'runner_failed', 'the runner failed (exit status 2): only out'],
    [{ exitCode: null, signal: 'SIGKILL' }, 'runner_failed', 'the runner failed (ended by SIGKILL)'],
    [{ exitCode: 75, stderr: 'busy' }, 'runner_unavailable', 'the runner is unavailable just now (exit status 75): busy'],
    [{ exitCode: 0, endedBy: 'wall' }, 'runner_timeout', 'the runner was ended: it took longer than 60 s'],
    [{ exitCode: 0, endedBy: 'stall' }, 'runner_stalled', 'the runner was ended: it said nothing for 1.5 s'],
    [{ exitCode: 75, endedBy: 'abort' }, 'runner_interrupted', 'the runner was ended: its work is no longer wanted'],
  ] as const)('of %j is %s', (changes, code, message) => {
    expect(errorOf(ended(changes), limits)).toMatchObject({ code, message });
  });
});

describe('startErrorOf', () => {
  it('is worth another try where the machine lacks something just now', () => {
    const error = startErrorOf(new RetryableError('program_not_started', 'no more processes'));

    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: 'runner_unavailable', message: 'no more processes' });
  });

  it('is final otherwise, whatever was thrown', () => {
    expect(startErrorOf(new TerminalError('program_not_found', 'x was not found'))).toMatchObject({
      code: 'runner_failed',
      message: 'the runner could not be run: x was not found',
    });
    expect(startErrorOf('odd')).toBeInstanceOf(TerminalError);
  });
});
