/** The lines of one file that a diff shows, as they are numbered before (`left`) and after (`right`) the change. */
export interface FileLines {
  /** Null for an added file. */
  readonly oldPath: string | null;
  /** Null for a deleted file. */
  readonly newPath: string | null;
  readonly left: ReadonlySet<number>;
  readonly right: ReadonlySet<number>;
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Reads the hunks of a unified diff as git writes it (with prefixes `a/` and `b/`). What it does not know it skips. */
export function readDiffLines(diff: string): FileLines[] {
  const files: FileLines[] = [];
  const lines = diff.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const [before, after, hunk] = [lines[index] ?? '', lines[index + 1] ?? '', lines[index + 2] ?? ''];
    if (!before.startsWith('--- ') || !after.startsWith('+++ ') || !HUNK.test(hunk)) continue;
    const file = { oldPath: pathOf(before.slice(4)), newPath: pathOf(after.slice(4)), left: new Set<number>(), right: new Set<number>() };
    index = readHunks(lines, index + 2, file) - 1;
    files.push(file);
  }
  return files;
}

/** Reads hunk after hunk by the counts in their heads, since a line of the file may itself look like a head. */
function readHunks(lines: readonly string[], from: number, file: { left: Set<number>; right: Set<number> }): number {
  let index = from;
  for (let head = HUNK.exec(lines[index] ?? ''); head !== null; head = HUNK.exec(lines[index] ?? '')) {
    let [left, right] = [Number(head[1]), Number(head[3])];
    const [leftEnd, rightEnd] = [left + Number(head[2] ?? 1), right + Number(head[4] ?? 1)];
    for (index += 1; index < lines.length && (left < leftEnd || right < rightEnd); index++) {
      const sign = lines[index]?.[0] ?? ' ';
      if (sign === '-' || sign === ' ') file.left.add(left++);
      if (sign === '+' || sign === ' ') file.right.add(right++);
    }
    if (lines[index]?.startsWith('\\') === true) index += 1;
  }
  return index;
}

function pathOf(given: string): string | null {
  const path = unquoted(given.replace(/[\t\r]+$/, ''));
  return path === '/dev/null' ? null : path.replace(/^[ab]\//, '');
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

/** git writes a path with unusual bytes in C's quotes, each such byte as three octal digits. */
function unquoted(path: string): string {
  if (!path.startsWith('"') || !path.endsWith('"')) return path;
  const bytes: Buffer[] = [];
  for (const [part, octal, letter] of path.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/g)) {
    if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8)));
    else if (letter !== undefined) bytes.push(Buffer.from(letter in ESCAPES ? [ESCAPES[letter] ?? 0] : letter));
    else bytes.push(Buffer.from(part));
  }
  return Buffer.concat(bytes).toString('utf8');
}
