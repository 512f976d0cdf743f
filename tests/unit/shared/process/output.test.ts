import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLineReader, createOutputTail } from '../../../../src/shared/process/output.ts';

function linesOf(chunks: readonly Uint8Array[], maxLength?: number): string[] {
  const lines: string[] = [];
  const reader = createLineReader((line) => lines.push(line), maxLength);
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return lines;
}

/** The text cut into chunks at every place where `cuts` says so. */
function chunked(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

describe('createLineReader', () => {
  it('gives the same lines however the bytes are cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\r\n]/.test(line))), fc.array(fc.nat()), (lines, cuts) => {
        const text = lines.map((line) => `${line}\n`).join('');

        expect(linesOf(chunked(text, cuts))).toEqual(lines);
      }),
    );
  });

  it('hands on a last line without a newline, and no empty one after the last newline', () => {
    expect(linesOf([Buffer.from('one\n\ntwo')])).toEqual(['one', '', 'two']);
    expect(linesOf([Buffer.from('one\n')])).toEqual(['one']);
    expect(linesOf([])).toEqual([]);
  });

  it('drops the carriage return before a newline, also in another chunk', () => {
    expect(linesOf([Buffer.from('one\r'), Buffer.from('\n\r\na\rb\n')])).toEqual(['one', '', 'a\rb']);
  });

  it('tolerates bytes that are not UTF-8', () => {
    expect(linesOf([Buffer.from([0x61, 0xff, 0x0a, 0xc3])])).toEqual(['a\ufffd', '\ufffd']);
  });

  it('cuts a long line into pieces that lose nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 9 }), fc.array(fc.nat()), (text, maxLength, cuts) => {
        const line = text.replaceAll(/[\r\n]/g, '');

        const pieces = linesOf(chunked(`${line}\n`, cuts), maxLength);

        expect(pieces.join('')).toBe(line);
        expect(pieces.every((piece) => piece.length <= maxLength)).toBe(true);
        // A half of a surrogate pair does not survive a way through UTF-8.
        expect(pieces.map((piece) => Buffer.from(piece).toString())).toEqual(pieces);
      }),
    );
  });

  it('holds back no more than a piece of an endless line', () => {
    const pieces: string[] = [];
    const reader = createLineReader((piece) => pieces.push(piece));

    for (let i = 0; i < 32; i++) reader.push(Buffer.alloc(10_000, 'x'));

    expect(pieces.map((piece) => piece.length)).toEqual([65_536, 65_536, 65_536, 65_536]);
  });
});

describe('createOutputTail', () => {
  it('keeps the last bytes and counts the others, whatever comes in which pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9_000 })), fc.nat({ max: 20_000 }), (sizes, maxBytes) => {
        const tail = createOutputTail(maxBytes);
        const chunks = sizes.map((size, index) => Buffer.alloc(size, 65 + (index % 26)));
        const all = Buffer.concat(chunks).toString();

        for (const chunk of chunks) tail.push(chunk);

        expect(tail.text()).toBe(all.slice(Math.max(0, all.length - maxBytes)));
        expect(tail.droppedBytes()).toBe(Math.max(0, all.length - maxBytes));
      }),
    );
  });

  it('leaves out a character that was cut in half', () => {
    const tail = createOutputTail(4);

    tail.push(Buffer.from('x\u20ac12'));
    tail.push(Buffer.from('3'));

    expect(tail.text()).toBe('123');
  });

  it('takes no more memory for many tiny chunks', () => {
    const tail = createOutputTail(100_000);
    const before = process.memoryUsage().arrayBuffers;

    for (let i = 0; i < 2_000_000; i++) tail.push(Buffer.from('y\n'));

    expect(tail.droppedBytes()).toBe(3_900_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_000_000);
  });
});
