import { describe, expect, it } from '@jest/globals';
import { isVerdict, VERDICT_SCHEMA, verdictIn } from '../../../../../src/shared/runner/cli/verdict-text.ts';
import { parseVerdict } from '../../../../../src/shared/runner/verdict.ts';

const given = { decision: 'APPROVE', summary: 'fine', comments: [] };

describe('verdictIn', () => {
  it.each([
    ['as the last line', `I looked at it.\n${JSON.stringify(given)}\n`],
    ['in a fenced block', `Here:\n\`\`\`json\n${JSON.stringify(given, null, 2)}\n\`\`\`\nThat is all.`],
    ['within prose', `My verdict is ${JSON.stringify(given)}, and I am done.`],
  ])('finds a verdict %s', (_, text) => {
    expect(verdictIn(text)).toEqual(given);
  });

  it.each(['', 'I approve of it.', '{"summary":"no decision"}', '{"decision":"MAYBE"}', '}{'])('guesses nothing from "%s"', (text) => {
    expect(verdictIn(text)).toBeUndefined();
  });
});

describe('the schema of a verdict', () => {
  it('asks for what can be read as one', () => {
    const comment = { path: 'a.ts', line: null, side: 'RIGHT', severity: 'error', body: 'no', suggestion: null };
    const verdict = { decision: VERDICT_SCHEMA.properties.decision.enum[1], summary: '', comments: [comment, { ...comment, line: 3 }] };

    expect(isVerdict(verdict)).toBe(true);
    expect(parseVerdict(verdict).comments).toEqual([{ path: 'a.ts', line: 3, side: 'RIGHT', severity: 'error', body: 'no' }]);
    expect(Object.keys(VERDICT_SCHEMA.properties.comments.items.properties)).toEqual(VERDICT_SCHEMA.properties.comments.items.required);
  });
});
