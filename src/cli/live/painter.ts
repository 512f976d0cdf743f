import type { Output } from '../context.ts';

/** Lines at the bottom of a terminal that are drawn over and over, below a history that stays. */
export interface Painter {
  /** Draws these lines in the place of the last ones. None may be wider than the terminal. */
  paint(lines: readonly string[]): void;
  /** A line that stays, above. It may be wider. */
  above(line: string): void;
  /** Takes the drawn lines away, and gives the cursor back. */
  clear(): void;
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_BELOW = '\x1b[0J';

export function createPainter(output: Output): Painter {
  let drawn: readonly string[] = [];
  let hidden = false;
  const toTop = (): string => (drawn.length === 0 ? '' : `\x1b[${String(drawn.length)}F${ERASE_BELOW}`);
  const draw = (before: string, lines: readonly string[]): void => {
    // One write for all: no half a frame is ever seen.
    output.write(`${hidden ? '' : HIDE_CURSOR}${toTop()}${before}${lines.map((line) => `${line}\n`).join('')}`);
    hidden = true;
    drawn = lines;
  };
  return {
    paint: (lines) => draw('', lines),
    above: (line) => draw(`${line}\n`, drawn),
    clear: () => {
      if (hidden) output.write(`${toTop()}${SHOW_CURSOR}`);
      hidden = false;
      drawn = [];
    },
  };
}
