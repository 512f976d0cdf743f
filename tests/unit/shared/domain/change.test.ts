import { describe, expect, it } from '@jest/globals';
import { addUsage, NO_USAGE, Usage } from '../../../../src/shared/domain/change.ts';
import { Instant } from '../../../../src/shared/domain/ids.ts';
import { coderResult } from '../../../../src/shared/runner/command/last-words.ts';

const largest: Usage = { inputTokens: 1e12, outputTokens: 1e12, costUsd: 1e6 };

describe('usage', () => {
  it('stays within its own limits however much is added', () => {
    const sum = Array.from({ length: 5 }).reduce((total: Usage) => addUsage(total, largest), {
      inputTokens: 7,
      outputTokens: 0,
      costUsd: 0.5,
    });

    expect(sum).toEqual(largest);
    expect(Usage.parse(JSON.parse(JSON.stringify(sum)))).toEqual(sum);
  });

  it.each([{ inputTokens: Number.MAX_SAFE_INTEGER, costUsd: 1e308 }, { costUsd: 1e308 }, { outputTokens: 1e12 + 1 }])(
    'of a runner that can not be true (%j) is none',
    (usage) => {
      expect(coderResult(JSON.stringify({ summary: 'did it', usage }))).toEqual({ summary: 'did it', usage: NO_USAGE });
    },
  );
});

describe('a moment', () => {
  it('is one that a date can show', () => {
    expect(new Date(Instant.parse(8.64e15)).toISOString()).toBe('+275760-09-13T00:00:00.000Z');
    expect(Instant.safeParse(8.64e15 + 1).success).toBe(false);
  });
});
