import { parseVerdict } from '../verdict.ts';

/** The verdict as a JSON schema, for CLIs that hold their model to one. All is required and nothing else allowed, as strict modes ask for. */
export const VERDICT_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['decision', 'summary', 'comments'],
  properties: {
    decision: { type: 'string', enum: ['APPROVE', 'REQUEST_CHANGES', 'COMMENT'] },
    summary: { type: 'string' },
    comments: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['path', 'line', 'side', 'severity', 'body', 'suggestion'],
        properties: {
          path: { type: 'string' },
          line: { type: ['integer', 'null'] },
          side: { type: 'string', enum: ['RIGHT', 'LEFT'] },
          severity: { type: 'string', enum: ['info', 'warning', 'error'] },
          body: { type: 'string' },
          suggestion: { type: ['string', 'null'] },
        },
      },
    },
  },
} as const;

/** What a reviewer is asked that has given no verdict. */
export const VERDICT_REQUEST = `Your review is there, but the verdict is not. Give it now, and do nothing else: the JSON in one line, as the task says,
{"decision":"APPROVE"|"REQUEST_CHANGES"|"COMMENT","summary":"...","comments":[...]}.
`;

/** Whether it can be read as a verdict. */
export function isVerdict(given: unknown): boolean {
  try {
    parseVerdict(given);
    return true;
  } catch {
    return false;
  }
}

/**
 * The verdict that a model wrote into its prose: the last line, the last fenced block, or what stands between the first brace and the last.
 * Undefined where none of them can be read as one: a decision is never guessed.
 */
export function verdictIn(text: string): unknown {
  const fenced = [...text.matchAll(/```(?:json)?\s*\n([^]*?)```/g)].at(-1)?.[1];
  const braced = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  const candidates = [text.trimEnd().split('\n').at(-1), fenced, braced].map((candidate) => jsonIn(candidate ?? ''));
  return candidates.find((candidate) => isVerdict(candidate));
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
