import { newId } from './json.ts';
import type { Answer, Encoded } from './steps.ts';

/** Gemini's generateContent. */
export function encodeGemini({ text, calls, usage, stop }: Answer): Encoded {
  const parts = [
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ name, input }) => ({ functionCall: { id: newId('fc_'), name, args: input } })),
  ];
  const body = {
    candidates: [{ content: { role: 'model', parts }, finishReason: stop === 'max_tokens' ? 'MAX_TOKENS' : 'STOP', index: 0 }],
    usageMetadata: {
      ...{ promptTokenCount: usage.input, candidatesTokenCount: usage.output, totalTokenCount: usage.input + usage.output },
      cachedContentTokenCount: usage.cacheRead ?? 0,
    },
    ...{ modelVersion: 'stub', responseId: newId('r_') },
  };
  return { body, events: [[null, body]] };
}
