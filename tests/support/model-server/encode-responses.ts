import { newId } from './json.ts';
import type { Answer, Call, Encoded } from './steps.ts';

interface Item {
  readonly type: 'custom_tool_call' | 'function_call' | 'message';
  readonly id: string;
  readonly status: string;
  readonly [field: string]: unknown;
}

/** OpenAI Responses. */
export function encodeResponses(answer: Answer): Encoded {
  const { input, output: written, cacheRead = 0 } = answer.usage;
  const usage = {
    ...{ input_tokens: input, input_tokens_details: { cached_tokens: cacheRead } },
    ...{ output_tokens: written, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + written },
  };
  const base = {
    ...{ id: newId('resp_'), object: 'response', created_at: Math.floor(Date.now() / 1_000), status: 'in_progress', model: answer.model },
    ...{ output: [], parallel_tool_calls: true, tool_choice: 'auto', tools: [], error: null, incomplete_details: null },
  };
  const items = [...messageOf(answer.text), ...answer.calls.map(callItem)];
  const body = { ...base, status: 'completed', output: items, usage };
  const events: [string, object][] = [
    ['response.created', { response: base }],
    ...items.flatMap((item, index) => itemEvents(item, index)),
    ['response.completed', { response: body }],
  ];
  return { body, events: events.map(([type, fields], sequence_number) => [type, { type, sequence_number, ...fields }]) };
}

function messageOf(text: string | undefined): Item[] {
  if (text === undefined) return [];
  const content = [{ type: 'output_text', text, annotations: [] }];
  return [{ type: 'message', id: newId('msg_'), role: 'assistant', status: 'completed', content }];
}

function callItem({ kind, name, input, namespace }: Call): Item {
  const named = { call_id: newId('call_'), name, ...(namespace === undefined ? {} : { namespace }) };
  return kind === 'custom'
    ? { type: 'custom_tool_call', id: newId('ctc_'), ...named, input, status: 'completed' }
    : { type: 'function_call', id: newId('fc_'), ...named, arguments: JSON.stringify(input), status: 'completed' };
}

function itemEvents(item: Item, output_index: number): [string, object][] {
  const at = { item_id: item.id, output_index };
  return [
    ['response.output_item.added', { output_index, item: { ...item, status: 'in_progress', ...emptied(item) } }],
    ...partEvents(item, at),
    ['response.output_item.done', { output_index, item }],
  ];
}

function emptied({ type }: Item): object {
  switch (type) {
    case 'message':
      return { content: [] };
    case 'function_call':
      return { arguments: '' };
    case 'custom_tool_call':
      return { input: '' };
  }
}

function partEvents(item: Item, at: object): [string, object][] {
  if (item.type === 'message') {
    const part = (item['content'] as { text: string }[])[0] ?? { text: '' };
    const place = { ...at, content_index: 0 };
    return [
      ['response.content_part.added', { ...place, part: { ...part, text: '' } }],
      ['response.output_text.delta', { ...place, delta: part.text }],
      ['response.output_text.done', { ...place, text: part.text }],
      ['response.content_part.done', { ...place, part }],
    ];
  }
  const [event, field] =
    item.type === 'function_call' ? (['function_call_arguments', 'arguments'] as const) : (['custom_tool_call_input', 'input'] as const);
  return [
    [`response.${event}.delta`, { ...at, delta: item[field] }],
    [`response.${event}.done`, { ...at, [field]: item[field] }],
  ];
}
