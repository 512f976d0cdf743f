import { StringDecoder } from 'node:string_decoder';

/** A line longer than this many characters is handed on in pieces. */
export const MAX_LINE_LENGTH = 65_536;

/** Turns chunks into lines. */
export interface LineReader {
  push(chunk: Buffer): void;
  /** Hands on what came after the last newline. */
  end(): void;
}

/**
 * Calls `onLine` for each line, without its newline (and without a carriage return before it). Bytes that are not UTF-8
 * become U+FFFD. At most `maxLength` characters are held back while waiting for a newline.
 */
export function createLineReader(onLine: (text: string) => void, maxLength: number = MAX_LINE_LENGTH): LineReader {
  const decoder = new StringDecoder('utf8');
  let rest = '';

  const take = (text: string): void => {
    let start = 0;
    for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', start)) {
      emitPieces(text, start, text.charCodeAt(newline - 1) === 13 && newline > start ? newline - 1 : newline, maxLength, onLine);
      start = newline + 1;
    }
    while (text.length - start > maxLength) {
      const end = cutAt(text, start, maxLength);
      onLine(text.slice(start, end));
      start = end;
    }
    rest = text.slice(start);
  };

  return {
    push: (chunk) => {
      take(rest + decoder.write(chunk));
    },
    end: () => {
      take(rest + decoder.end());
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}

function emitPieces(text: string, from: number, to: number, maxLength: number, onLine: (text: string) => void): void {
  let start = from;
  while (to - start > maxLength) {
    const end = cutAt(text, start, maxLength);
    onLine(text.slice(start, end));
    start = end;
  }
  onLine(text.slice(start, to));
}

/** Where to cut: never between the halves of a surrogate pair. */
function cutAt(text: string, start: number, maxLength: number): number {
  const end = start + maxLength;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff && maxLength > 1 ? end - 1 : end;
}

/** The end of a stream of bytes: what came before the last `maxBytes` (0: everything) is forgotten, and counted. */
export interface OutputTail {
  push(chunk: Buffer): void;
  /** The bytes kept, as text; a character cut in half at the start is left out. */
  text(): string;
  droppedBytes(): number;
}

const SEGMENT_BYTES = 65_536;
const MIN_SEGMENT_BYTES = 4_096;

/**
 * Keeps the last `maxBytes` bytes in segments of 64 KB that are used again, so that neither many tiny chunks nor a
 * flood take more memory than that (and one segment).
 */
export function createOutputTail(maxBytes: number): OutputTail {
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, maxBytes));
  const maxSegments = Math.ceil(maxBytes / segmentBytes) + 1;
  const segments: Buffer[] = [];
  let used = segmentBytes;
  let total = 0;

  const nextSegment = (): void => {
    const oldest = segments.length >= maxSegments ? segments.shift() : undefined;
    segments.push(oldest ?? Buffer.allocUnsafeSlow(segmentBytes));
    used = 0;
  };

  const kept = (): Buffer => {
    const all = Buffer.concat(segments);
    const end = all.length - (segmentBytes - used);
    return all.subarray(Math.max(0, end - maxBytes), end);
  };

  return {
    push: (chunk) => {
      total += chunk.length;
      if (maxBytes <= 0) return;
      for (let offset = 0; offset < chunk.length;) {
        if (used === segmentBytes) nextSegment();
        const copied = chunk.copy(segments.at(-1) ?? chunk, used, offset);
        used += copied;
        offset += copied;
      }
    },
    text: () => (total === 0 || maxBytes <= 0 ? '' : withoutHalfCharacter(kept(), total > maxBytes)),
    droppedBytes: () => Math.max(0, total - maxBytes),
  };
}

function withoutHalfCharacter(bytes: Buffer, isCut: boolean): string {
  let start = 0;
  // Bytes 10xxxxxx continue a character that began before the cut; there are at most three of them.
  while (isCut && start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.toString('utf8', start);
}
