import { describe, expect, it } from '@jest/globals';
import { RetryableError, TerminalError } from '../../../../../src/shared/errors/errors.ts';
import { type CliFailure, errorOfFailure } from '../../../../../src/shared/runner/cli/failure.ts';
import { retryAfterMsIn } from '../../../../../src/shared/runner/cli/retry-after.ts';

const NOW = Date.parse('2026-11-22T13:30:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const errorFor = (failure: CliFailure): Error => errorOfFailure(failure, { advice: 'Log in', details: { exitCode: 1 }, nowMs: NOW });

describe('errorOfFailure', () => {
  it.each([
    [{ message: 'Failed to authenticate. API Error: 401 invalid', status: 401 }, 'runner_not_logged_in'],
    [{ message: 'forbidden', status: 403 }, 'runner_not_logged_in'],
    [{ message: 'Not logged in · Please run /login' }, 'runner_not_logged_in'],
    [{ message: 'unexpected status 401 Unauthorized: no' }, 'runner_not_logged_in'],
    [{ message: 'Prompt is too long', status: 400 }, 'context_too_long'],
    [{ message: 'it does not fit', kind: 'context_too_long' }, 'context_too_long'],
    [{ message: "Codex ran out of room in the model's context window" }, 'context_too_long'],
    [{ message: 'Credit balance is too low', status: 400 }, 'runner_failed'],
    [{ message: "There's an issue with the selected model", status: 404 }, 'runner_failed'],
    [{ message: 'error at line 403 of 429' }, 'runner_failed'],
    [{ message: 'whatever', kind: 'failed', status: 500 }, 'runner_failed'],
  ] as const)('of %j is for good: %s', (failure, code) => {
    expect(errorFor(failure)).toBeInstanceOf(TerminalError);
    expect(errorFor(failure)).toMatchObject({ code });
  });

  it.each([
    [{ message: 'slow down', status: 429 }, 'runner_limited'],
    [{ message: 'overloaded_error', status: 529 }, 'runner_limited'],
    [{ message: 'exceeded retry limit, last status: 429 Too Many Requests' }, 'runner_limited'],
    [{ message: 'Claude AI usage limit reached|1763820000' }, 'runner_limited'],
    [{ message: "You've hit your session limit · resets 3pm" }, 'runner_limited'],
    [{ message: 'API Error: 500 oops', status: 500 }, 'runner_unavailable'],
    [{ message: 'API Error: Unable to connect to API (ECONNRESET)' }, 'runner_unavailable'],
    [{ message: 'API Error: Connection dropped (ECONNRESET). Check the gateway' }, 'runner_unavailable'],
    [{ message: 'Request timed out' }, 'runner_unavailable'],
  ] as const)('of %j is worth another try: %s', (failure, code) => {
    expect(errorFor(failure)).toBeInstanceOf(RetryableError);
    expect(errorFor(failure)).toMatchObject({ code });
  });

  it('says what to do, and carries details', () => {
    expect(errorFor({ message: 'no key', status: 401 })).toMatchObject({
      message: "the model's service refuses the runner: no key. Log in",
      details: { exitCode: 1, status: 401 },
    });
  });

  it('says when to come back: what the message says first, else what the CLI said before', () => {
    expect(errorFor({ message: 'limit; try again in 5 minutes', status: 429, retryAfterMs: 7 })).toMatchObject({
      retryAfterMs: 5 * MINUTE,
    });
    expect(errorFor({ message: 'limit', status: 429, retryAfterMs: 7_000 })).toMatchObject({ retryAfterMs: 7_000 });
    expect(errorFor({ message: 'limit', status: 429 })).toMatchObject({ retryAfterMs: undefined });
  });
});

describe('retryAfterMsIn', () => {
  it.each([
    ['retry-after: 30', 30_000],
    ['{"retry_after_ms": 1500 ms}', 1_500],
    ['Please try again in 1h 20m.', HOUR + 20 * MINUTE],
    ['Please try again in 2 hours and 5 minutes', 2 * HOUR + 5 * MINUTE],
    ['Please try again in 21.5s.', 21_500],
    [`Claude AI usage limit reached|${String(NOW / 1_000 + 90)}`, 90_000],
    [`Claude AI usage limit reached|${String(NOW / 1_000 - 90)}`, 0],
    ['resets at 2026-11-22T14:00:00Z', 30 * MINUTE],
    ["You've hit your limit · resets 3pm (UTC)", 90 * MINUTE],
    ["You've hit your limit · resets 3:45pm (Europe/Berlin)", 75 * MINUTE],
    ['resets 1am (UTC)', 11.5 * HOUR],
    ['resets 12am (UTC)', 10.5 * HOUR],
    ['resets Nov 25 at 2pm (UTC)', 3 * DAY + 30 * MINUTE],
    ['resets Nov 25, 2:30pm (UTC)', 3 * DAY + HOUR],
    [`|${String(NOW / 1_000 + 90 * 24 * 3_600)}`, 8 * DAY],
  ])('finds it in "%s"', (message, ms) => {
    expect(retryAfterMsIn(message, NOW)).toBe(ms);
  });

  it.each(['', 'API Error: Request rejected (429)', 'resets soon', 'the test at 3pm failed'])('finds nothing in "%s"', (message) => {
    expect(retryAfterMsIn(message, NOW)).toBeUndefined();
  });
});
