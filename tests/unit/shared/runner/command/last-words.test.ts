import { describe, expect, it } from '@jest/globals';
import { NO_USAGE } from '../../../../../src/shared/domain/change.ts';
import { coderResult, reviewerResult } from '../../../../../src/shared/runner/command/last-words.ts';

const usage = { inputTokens: 10, outputTokens: 2, costUsd: 0.25 };

describe('coderResult', () => {
  it('takes the last lines that are not empty', () => {
    const stdout = Array.from({ length: 50 }, (_, index) => `line ${String(index)}\n\n`).join('');

    const { summary } = coderResult(stdout);

    expect(summary.split('\n')).toEqual(Array.from({ length: 20 }, (_, index) => `line ${String(index + 30)}`));
  });

  it('is empty when nothing was said', () => {
    expect(coderResult('\n \n')).toEqual({ summary: '', usage: NO_USAGE });
  });

  it('keeps within 4,000 characters', () => {
    expect(coderResult('x'.repeat(10_000)).summary).toHaveLength(4_000);
    expect(coderResult(JSON.stringify({ summary: 'x'.repeat(10_000) })).summary).toHaveLength(4_000);
  });

  it('takes the usage of a last line in JSON, and its summary', () => {
    expect(coderResult(`did it\n${JSON.stringify({ usage })}\n`)).toEqual({ summary: 'did it', usage });
    expect(coderResult(`did it\n${JSON.stringify({ usage, summary: 'did all' })}`)).toEqual({ summary: 'did all', usage });
    expect(coderResult(JSON.stringify({ usage: { costUsd: 1 } })).usage).toEqual({ inputTokens: 0, outputTokens: 0, costUsd: 1 });
  });

  it.each([{ costUsd: -1 }, { inputTokens: 1.5 }, 'much', { costUsd: 'free' }])('takes the invalid usage %j for prose', (invalid) => {
    const line = JSON.stringify({ usage: invalid });

    expect(coderResult(line)).toEqual({ summary: line, usage: NO_USAGE });
  });

  it.each(['{"a":1}', '42', 'null', '[]', '{'])('takes a last line %s for prose', (line) => {
    expect(coderResult(`so\n${line}\n`)).toEqual({ summary: `so\n${line}`, usage: NO_USAGE });
  });
});

describe('reviewerResult', () => {
  it('takes the last line that is not empty', () => {
    const verdict = { decision: 'APPROVE', summary: 'fine', usage };

    expect(reviewerResult(`thinking\n${JSON.stringify(verdict)}\n\n`)).toEqual({ summary: 'fine', usage, verdict });
  });

  it('takes a verdict of a megabyte', () => {
    const verdict = { decision: 'APPROVE', summary: 'x'.repeat(1_000_000) };

    expect(reviewerResult(JSON.stringify(verdict)).verdict).toEqual(verdict);
  });

  it.each(['', '\n\n', 'APPROVE', '{"decision":"APPROVE"}\nbye'])('refuses %j', (stdout) => {
    expect(() => reviewerResult(stdout)).toThrow(expect.objectContaining({ code: 'invalid_verdict' }));
  });

  it('leaves JSON that is no verdict to whoever validates it', () => {
    expect(reviewerResult('42')).toEqual({ summary: '', usage: NO_USAGE, verdict: 42 });
  });
});
