import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { failureOfResult, isCapped, isUnknownSession, usageOfResult } from '../../../../../src/shared/runner/claude/claude-result.ts';
import { type ClaudeState, createClaudeEvents } from '../../../../../src/shared/runner/claude/claude-events.ts';
import { createJsonLines } from '../../../../../src/shared/runner/cli/json-lines.ts';
import type { RunnerOutput } from '../../../../../src/shared/runner/runner.ts';

const FIXTURES = join(import.meta.dirname, '../../../../fixtures/runners/claude');
const NOW = 1_763_800_000_000;

interface Replayed {
  readonly outputs: RunnerOutput[];
  readonly state: ClaudeState;
}

function replay(bytes: Uint8Array, cuts: readonly number[] = []): Replayed {
  const outputs: RunnerOutput[] = [];
  const events = createClaudeEvents(
    (output) => outputs.push(output),
    () => NOW,
  );
  const lines = createJsonLines({ onEvent: events.take, onText: (text) => outputs.push({ type: 'stdout', text }), onDropped: () => {} });
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  for (const [index, from] of [0, ...places].entries()) lines.push(Buffer.from(bytes.subarray(from, places[index] ?? bytes.length)));
  lines.end();
  return { outputs, state: events.state() };
}

const recorded = (name: string): Buffer => readFileSync(join(FIXTURES, `${name}.out`));
const replayed = (...events: object[]): Replayed => replay(Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join('')));

describe('the events of Claude Code', () => {
  it('tell what 2.1.329 thinks, says, does and costs', () => {
    const { outputs, state } = replay(recorded('2.1.329/ok'));

    expect(outputs.map(({ type, text }) => `${type}: ${text.split('\n')[0] ?? ''}`)).toEqual([
      'thinking: Let me look.',
      'message: I will add mul().',
      'tool_call: Read /run/repo/src/math.js',
      'tool_result: 1\texport const add = (a, b) => a + b;',
      'tool_call: Write /run/repo/src/math.test.js',
      expect.stringContaining('tool_result: File created successfully'),
      'tool_call: Bash sleep 0.1 & node -e "console.log(42)"; wait',
      'tool_result: 42',
      'message: Done: added mul().',
      'usage: 65951 tokens in, 80 out, $0.1989',
    ]);
    expect(state).toMatchObject({ sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/), version: '2.1.329', result: { is_error: false } });
  });

  it('tell the same of 2.1.197', () => {
    const { outputs, state } = replay(recorded('2.1.197/ok'));

    expect(outputs.map(({ type }) => type).join(' ')).toBe(
      'message tool_call tool_result tool_call tool_result tool_call tool_result tool_call tool_result message usage',
    );
    expect(state.version).toBe('2.1.197');
  });

  it.each(['2.1.197/ok', '2.1.197/sseError', '2.1.329/ok', '2.1.329/schema'])('of %s are the same however its bytes are cut', (name) => {
    const bytes = recorded(name);
    const whole = replay(bytes);

    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 60 }), (cuts) => {
        expect(replay(bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('are passed over where they are unknown, or not as they used to be', () => {
    const { outputs, state } = replayed(
      { type: 'ui_invalidate' },
      { type: 7 },
      {},
      { type: 'system', subtype: 'new_thing', text: 'x' },
      { type: 'assistant' },
      { type: 'assistant', message: { content: 'a string' } },
      {
        type: 'assistant',
        message: { content: [{ type: 'hologram' }, 5, { type: 'text', text: 7 }, { type: 'text', text: 'still here' }] },
      },
      {
        type: 'user',
        message: { content: [{ type: 'tool_result', content: [{ type: 'image' }, { type: 'text', text: 'seen' }], is_error: true }] },
      },
    );

    expect(outputs).toEqual([
      { type: 'message', text: 'still here' },
      { type: 'tool_result', text: 'failed: seen' },
    ]);
    expect(state).toEqual({});
  });

  it('tell each failed call, and how long a limit lasts', () => {
    const { outputs, state } = replay(recorded('2.1.329/e429after'));

    expect(outputs[0]).toEqual({ type: 'error', text: "the model's service answered 429 (rate_limit); retry 1 of 1 in 1.0 s" });
    expect(state.limitedForMs).toBe(1048);
  });

  it('tell when a subscription is open again', () => {
    const limit = { status: 'rejected', resetsAt: NOW / 1_000 + 60, rateLimitType: 'five_hour' };

    expect(replayed({ type: 'rate_limit_event', rate_limit_info: limit }).state.limitedForMs).toBe(60_000);
    expect(replayed({ type: 'rate_limit_event', rate_limit_info: { ...limit, status: 'allowed' } }).state.limitedForMs).toBeUndefined();
  });

  it('of a run that was cut off have no result', () => {
    const bytes = recorded('2.1.329/ok');

    const { state } = replay(bytes.subarray(0, bytes.length - 20));

    expect(state.result).toBeUndefined();
    expect(state.sessionId).toBeDefined();
  });
});

describe('the result of Claude Code', () => {
  const resultOf = (name: string) => replay(recorded(name)).state.result ?? fail(name);

  it.each([
    ['2.1.329/ok', { inputTokens: 65_951, outputTokens: 80, costUsd: 0.1989405, cacheReadTokens: 50, cacheWriteTokens: 30 }],
    // Resumed: `total_cost_usd` says 0.2659.
    ['2.1.329/resume', { inputTokens: 22_230, outputTokens: 20, costUsd: 0.06699 }],
    ['2.1.197/resume', { inputTokens: 29_122, outputTokens: 20, costUsd: 0.087666 }],
    // `usage` says nothing of it.
    ['2.1.329/budget', { inputTokens: 21_820, outputTokens: 20, costUsd: expect.closeTo(0.06576) }],
    ['2.1.329/e401', { inputTokens: 0, outputTokens: 0, costUsd: 0 }],
  ])('of %s counts what this run cost', (name, usage) => {
    expect(usageOfResult(resultOf(name))).toEqual(usage);
  });

  it.each(['2.1.197/ok', '2.1.197/cut', '2.1.197/schema', '2.1.197/schemaIgnored', '2.1.329/ok', '2.1.329/cut', '2.1.329/schema'])(
    'of %s is a success',
    (name) => {
      expect(failureOfResult(resultOf(name))).toBeUndefined();
    },
  );

  it.each([
    ['2.1.329/e401', { status: 401, message: expect.stringContaining('Failed to authenticate') }],
    ['2.1.329/e429after', { status: 429 }],
    ['2.1.329/e529', { status: 529 }],
    ['2.1.329/e500', { status: 500 }],
    ['2.1.197/e429', { status: 429 }],
    ['2.1.329/noKey', { message: 'Not logged in · Please run /login' }],
    ['2.1.329/tooLong', { kind: 'context_too_long' }],
    ['2.1.329/maxTurns', { kind: 'failed', message: 'Reached maximum number of turns (2)' }],
    ['2.1.197/budget', { kind: 'failed' }],
  ])('of %s is a failure', (name, failure) => {
    expect(failureOfResult(resultOf(name))).toMatchObject(failure);
  });

  it('that can not be read is a failure', () => {
    const result = replayed({ type: 'result', subtype: 5, is_error: 'no' }).state.result ?? fail('no result');

    expect(failureOfResult(result)).toEqual({ message: 'it ended with ""', status: undefined });
  });

  it('tells a conversation that is not there, and one that a limit of ours has ended', () => {
    expect(['2.1.197/unknownId', '2.1.329/unknownId', '2.1.329/maxTurns'].map((name) => isUnknownSession(resultOf(name)))).toEqual([
      true,
      true,
      false,
    ]);
    expect(['2.1.329/maxTurns', '2.1.197/budget', '2.1.329/e500'].map((name) => isCapped(resultOf(name)))).toEqual([true, true, false]);
  });
});

function fail(what: string): never {
  throw new Error(what);
}
