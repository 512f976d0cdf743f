import { newId } from './json.ts';
import type { Answer, Encoded } from './steps.ts';

/** OpenAI Chat Completions. */
export function encodeChat(answer: Answer): Encoded {
  const { input, output, cacheRead = 0 } = answer.usage;
  const usage = {
    ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    prompt_tokens_details: { cached_tokens: cacheRead },
  };
  const base = { id: newId('chatcmpl-'), created: Math.floor(Date.now() / 1_000), model: answer.model };
  const calls = answer.calls.map(({ name, input: given }) => ({
    ...{ id: newId('call_'), type: 'function', function: { name, arguments: JSON.stringify(given) } },
  }));
  const finish = answer.stop === 'max_tokens' ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop';
  const message = { role: 'assistant', content: answer.text ?? null, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  const chunk = (delta: object, finish_reason: string | null = null): readonly [null, unknown] => [
    null,
    { ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] },
  ];
  return {
    body: { ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finish }], usage },
    events: [
      chunk({ role: 'assistant', content: '' }),
      ...(answer.text === undefined ? [] : [chunk({ content: answer.text })]),
      ...calls.map((call, index) => chunk({ tool_calls: [{ index, ...call }] })),
      chunk({}, finish),
      [null, { ...base, object: 'chat.completion.chunk', choices: [], usage }],
      [null, '[DONE]'],
    ],
  };
}
