import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createJsonLines, type JsonEvent } from '../../../../../src/shared/runner/cli/json-lines.ts';

interface Read {
  readonly events: JsonEvent[];
  readonly texts: string[];
  readonly dropped: number[];
}

function read(chunks: readonly Uint8Array[], maxBytes?: number): Read {
  const found: Read = { events: [], texts: [], dropped: [] };
  const lines = createJsonLines({
    onEvent: (event) => found.events.push(event),
    onText: (text) => found.texts.push(text),
    onDropped: (count) => found.dropped.push(count),
    maxBytes,
  });
  for (const chunk of chunks) lines.push(Buffer.from(chunk));
  lines.end();
  return found;
}

/** The bytes of a text, cut wherever `cuts` says: also within a character. */
function chunked(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const AnyEvent = fc.record({ type: fc.string({ unit: 'grapheme' }), n: fc.integer() });

describe('createJsonLines', () => {
  it('gives the same events however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(AnyEvent), fc.array(fc.nat()), (events, cuts) => {
        const text = events.map((event) => `${JSON.stringify(event)}\r\n`).join('');

        expect(read(chunked(text, cuts))).toEqual({ events, texts: [], dropped: [] });
      }),
    );
  });

  it('keeps characters whole that come byte by byte', () => {
    const text = `{"text":"日本 🙂 ü"}\n`;

    const { events } = read([...Buffer.from(text)].map((byte) => Uint8Array.of(byte)));

    expect(events).toEqual([{ text: '日本 🙂 ü' }]);
  });

  it('hands on as text what is no JSON object, and passes over empty lines', () => {
    const { events, texts } = read([Buffer.from('\n  \nWarning: old\n[1]\nnull\n{"a":1}\n{"a":\n12')]);

    expect(events).toEqual([{ a: 1 }]);
    expect(texts).toEqual(['Warning: old', '[1]', 'null', '{"a":', '12']);
  });

  it('takes a last line without its newline', () => {
    expect(read([Buffer.from('{"type":"result"}')]).events).toEqual([{ type: 'result' }]);
  });

  it('takes an event of 10 MB in chunks of a pipe', () => {
    const event = { text: 'ü'.repeat(5 * 1024 * 1024) };
    const bytes = Buffer.from(`${JSON.stringify(event)}\n{"after":1}\n`);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
      bytes.subarray(index * 65_536, (index + 1) * 65_536),
    );

    const { events, dropped } = read(chunks);

    expect(events).toEqual([event, { after: 1 }]);
    expect(dropped).toEqual([]);
  });

  it('passes over lines that are too long, counts them, and goes on', () => {
    const long = JSON.stringify({ text: 'x'.repeat(100) });
    const exact = JSON.stringify({ text: 'x'.repeat(39) });

    const { events, dropped } = read(chunked(`${long}\n${exact}\n${long}\n{"a":1}\n${long}`, [10, 20, 70, 130, 200]), exact.length);

    expect(events).toEqual([JSON.parse(exact), { a: 1 }]);
    expect(dropped).toEqual([3]);
  });
});
