import { newId } from './json.ts';
import type { Answer, Encoded } from './steps.ts';

type Block =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

/** Anthropic Messages. */
export function encodeAnthropic(answer: Answer): Encoded {
  const usage = {
    input_tokens: answer.usage.input,
    cache_creation_input_tokens: answer.usage.cacheWrite ?? 0,
    cache_read_input_tokens: answer.usage.cacheRead ?? 0,
    output_tokens: answer.usage.output,
  };
  const content = blocksOf(answer);
  const stop_reason = answer.stop ?? (answer.calls.length > 0 ? 'tool_use' : 'end_turn');
  const body = {
    ...{ id: newId('msg_'), type: 'message', role: 'assistant', model: answer.model, content },
    ...{ stop_reason, stop_sequence: null, usage },
  };
  // What it will have cost in the end is not known at the start: a client that takes this for the output is wrong.
  const started = { ...body, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  return {
    body,
    events: [
      event('message_start', { message: started }),
      ...content.flatMap((block, index) => blockEvents(block, index)),
      event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage }),
      event('message_stop', {}),
    ],
  };
}

function blocksOf({ thinking, text, calls }: Answer): Block[] {
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking' as const, thinking, signature: 'stub' }]),
    ...(text === undefined ? [] : [{ type: 'text' as const, text }]),
    ...calls.map(({ name, input }) => ({ type: 'tool_use' as const, id: newId('toolu_'), name, input })),
  ];
}

function blockEvents(block: Block, index: number): Encoded['events'] {
  return [
    event('content_block_start', { index, content_block: emptied(block) }),
    ...deltasOf(block).map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
}

function emptied(block: Block): unknown {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
      return { ...block, input: {} };
  }
}

function deltasOf(block: Block): unknown[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text_delta', text: block.text }];
    case 'thinking':
      return [
        { type: 'thinking_delta', thinking: block.thinking },
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'tool_use':
      return [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input) }];
  }
}

function event(type: string, fields: object): readonly [string, unknown] {
  return [type, { type, ...fields }];
}
