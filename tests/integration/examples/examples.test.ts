import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pidsWith } from '../../support/marked-processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

jest.setTimeout(120_000);

let folder: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  folder = temporaryDirectory('examples');
});
afterEach(() => {
  folder.remove();
});

describe('examples', () => {
  it('01-hello merges what the reviewer asked for', async () => {
    const { code, output } = await run('01-hello');

    expect(output).toMatch(/round 1: changes requested, 1 comment: Hello to what\?/);
    expect(output).toMatch(/Merge: Say hello \(#1\)/);
    expect(output).toContain('Hello! (Say hello)');
    expect(code).toBe(0);
    expectNothingLeft();
  });

  it('02-linter-fix merges what prettier made of the code', async () => {
    const { code, output } = await run('02-linter-fix');

    expect(output).toMatch(/✔ node --test/);
    expect(output).toMatch(/Merge: Format the code \(#1\)/);
    expect(output).toContain("export const format = (celsius, { scale = 'C', digits = 0 } = {}) => {");
    expect(code).toBe(0);
    expectNothingLeft();
  });
});

/** Runs an example for real, with a home and a temporary folder of the test's own. */
async function run(example: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const script = fileURLToPath(new URL(`../../../examples/${example}/run.sh`, import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder.path, TMPDIR: folder.path };
  const child = spawn('bash', [script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** The script has removed its folder, and every process it started has inherited this TMPDIR or the home below it. */
function expectNothingLeft(): void {
  expect(readdirSync(folder.path).filter((name) => name.startsWith('multi-agent-example-'))).toEqual([]);
  expect(pidsWith(`TMPDIR=${folder.path}`)).toEqual([]);
  expect(pidsWith(`HOME=${folder.path}`)).toEqual([]);
}
