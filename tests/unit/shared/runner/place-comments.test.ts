import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readDiffLines } from '../../../../src/shared/runner/diff-lines.ts';
import { placeComments } from '../../../../src/shared/runner/place-comments.ts';
import { parseVerdict, type Verdict } from '../../../../src/shared/runner/verdict.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const DIFF = `diff --git a/src/a.ts b/src/a.ts
index 1111111..2222222 100644
--- a/src/a.ts
+++ b/src/a.ts
@@ -10,4 +10,4 @@ export function a() {
 ten
-eleven
--- looks like a head
+ELEVEN
+++ looks like another
 thirteen
@@ -40 +40,0 @@
-forty
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+first
\\ No newline at end of file
diff --git a/old name.txt b/new name.txt
similarity index 90%
rename from old name.txt
rename to new name.txt
--- a/old name.txt\t
+++ b/new name.txt\t
@@ -1,2 +1,2 @@
-one
+ONE
 two
`;

function commented(...comments: [path: string, line: number, side?: string][]): Verdict {
  return parseVerdict({
    decision: 'COMMENT',
    summary: 'read',
    comments: comments.map(([path, line, side]) => ({ path, line, side, body: 'why?' })),
  });
}

describe('placeComments', () => {
  it.each([
    ['src/a.ts', 10, 'RIGHT'],
    ['src/a.ts', 11, 'RIGHT'],
    ['src/a.ts', 12, 'RIGHT'],
    ['src/a.ts', 13, 'RIGHT'],
    ['src/a.ts', 12, 'LEFT'],
    ['src/a.ts', 40, 'LEFT'],
    ['new.txt', 1, 'RIGHT'],
    ['new name.txt', 1, 'RIGHT'],
    ['old name.txt', 1, 'LEFT'],
    ['new name.txt', 1, 'LEFT'],
  ])('leaves a comment on %s:%i (%s), which the diff shows', (path, line, side) => {
    const verdict = commented([path, line, side]);

    expect(placeComments(verdict, DIFF)).toEqual(verdict);
  });

  it.each([
    ['src/a.ts', 9, 'RIGHT'],
    ['src/a.ts', 14, 'RIGHT'],
    ['src/a.ts', 40, 'RIGHT'],
    ['src/a.ts', 41, 'LEFT'],
    ['new.txt', 1, 'LEFT'],
    ['new.txt', 2, 'RIGHT'],
    ['old name.txt', 1, 'RIGHT'],
    ['other.ts', 1, 'RIGHT'],
    ['/dev/null', 1, 'RIGHT'],
  ])('moves a comment on %s:%i (%s), which it does not show', (path, line, side) => {
    const placed = placeComments(commented([path, line, side]), DIFF);

    expect(placed).toEqual({ decision: 'COMMENT', summary: `read\n- ${path}:${String(line)} [warning] why?`, comments: [] });
  });

  it('keeps the others where they are', () => {
    const placed = placeComments(commented(['src/a.ts', 11], ['src/a.ts', 99], ['new.txt', 1]), DIFF);

    expect(placed.comments.map((comment) => `${comment.path}:${String(comment.line)}`)).toEqual(['src/a.ts:11', 'new.txt:1']);
    expect(placed.summary).toBe('read\n- src/a.ts:99 [warning] why?');
  });

  it('moves all of them where there is no diff', () => {
    expect(placeComments(commented(['a', 1], ['b', 2]), '').comments).toEqual([]);
  });
});

describe('readDiffLines', () => {
  let directory: ReturnType<typeof temporaryDirectory>;

  beforeEach(() => {
    directory = temporaryDirectory('diff');
  });

  afterEach(() => {
    directory.remove();
  });

  it('reads what git writes, also unusual names and files that are not text', () => {
    const [before, after] = [join(directory.path, 'before'), join(directory.path, 'after')];
    const names = ['tab\there', 'qu"ote\\s', 'dätei', 'with space', '@@ -1 +1 @@'];
    for (const [folder, text] of [
      [before, 'one\ntwo\n'],
      [after, 'one\nTWO\n'],
    ] as const) {
      mkdirSync(folder);
      for (const name of names) writeFileSync(join(folder, name), text);
      writeFileSync(join(folder, 'binary'), Buffer.from([0, text.length, text.charCodeAt(4)]));
    }

    const files = readDiffLines(diffOf('before', 'after', directory.path));

    expect(files.map((file) => file.newPath).sort()).toEqual(names.map((name) => `after/${name}`).sort());
    expect(files.every((file) => [...file.right].join() === '1,2' && [...file.left].join() === '1,2')).toBe(true);
  });
});

/** `git diff --no-index` exits 1 where there is a difference. */
function diffOf(before: string, after: string, cwd: string): string {
  try {
    return execFileSync('git', ['diff', '--no-index', before, after], { cwd, encoding: 'utf8' });
  } catch (error) {
    return typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : '';
  }
}
