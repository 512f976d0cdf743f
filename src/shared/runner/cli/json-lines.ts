/** One event of a CLI: a line that was a JSON object. What is in it is for the adapter to look at. */
export type JsonEvent = Readonly<Record<string, unknown>>;

export interface JsonLinesOptions {
  readonly onEvent: (event: JsonEvent) => void;
  /** A line that is no JSON object: warnings of a runtime, a stack trace. */
  readonly onText: (text: string) => void;
  /** Told at the end how many lines were too long to be kept; not told of none. */
  readonly onDropped: (count: number) => void;
  /** The longest line that is kept (bytes, default 32 MB). */
  readonly maxBytes?: number | undefined;
}

/** Turns the bytes of a stream of JSON lines into events. */
export interface JsonLines {
  push(chunk: Buffer): void;
  /** Takes what came after the last newline for a line: a CLI that was ended may have got no further. */
  end(): void;
}

export const MAX_EVENT_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;
const FIRST_BYTES = 64 * 1024;

/**
 * Reads JSON lines however they are cut into chunks: lines are split as bytes, so that a character in two chunks is whole again. A line longer
 * than `maxBytes` is passed over, and no more than that is held in memory.
 */
export function createJsonLines({ onEvent, onText, onDropped, maxBytes = MAX_EVENT_BYTES }: JsonLinesOptions): JsonLines {
  const line = createLineBuffer(maxBytes);
  let dropped = 0;

  const finish = (): void => {
    const text = line.take();
    if (text === undefined) dropped += 1;
    else if (text.trim() !== '') tell(text);
  };
  const tell = (text: string): void => {
    const event = eventIn(text);
    if (event === undefined) onText(text.trimEnd());
    else onEvent(event);
  };

  return {
    push: (chunk) => {
      let start = 0;
      for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, start)) {
        line.add(chunk.subarray(start, newline));
        finish();
        start = newline + 1;
      }
      line.add(chunk.subarray(start));
    },
    end: () => {
      finish();
      if (dropped > 0) onDropped(dropped);
      dropped = 0;
    },
  };
}

function eventIn(text: string): JsonEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of the line that is being read; doubled as it grows, so that a long line in tiny chunks is not copied for each of them. */
function createLineBuffer(maxBytes: number): { add(bytes: Buffer): void; take(): string | undefined } {
  let kept = Buffer.alloc(0);
  let length = 0;
  return {
    add: (bytes) => {
      if (length + bytes.length > maxBytes) kept = Buffer.alloc(0);
      else {
        if (length + bytes.length > kept.length) kept = grown(kept, length, Math.max(length + bytes.length, 2 * length, FIRST_BYTES));
        bytes.copy(kept, length);
      }
      length += bytes.length;
      if (length > maxBytes) length = maxBytes + 1;
    },
    // Undefined for a line that was too long.
    take: () => {
      const text = length > maxBytes ? undefined : kept.toString('utf8', 0, length);
      length = 0;
      if (kept.length > FIRST_BYTES) kept = Buffer.alloc(0);
      return text;
    },
  };
}

function grown(kept: Buffer, length: number, bytes: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(bytes);
  kept.copy(larger, 0, 0, length);
  return larger;
}
