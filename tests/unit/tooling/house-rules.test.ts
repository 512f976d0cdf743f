import { fileURLToPath } from 'node:url';

import { describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Where the snippets pretend to be; the files themselves are not looked at. */
const PRODUCT_FILE = 'src/shared/errors/errors.ts';
const SUBJECTS_FILE = 'src/shared/messages/subjects.ts';
const DOMAIN_FILE = 'src/shared/domain/job.ts';

const RULES = ['no-restricted-syntax', 'no-restricted-imports', 'no-restricted-properties', 'no-console', 'no-warning-comments'];

const eslint = new ESLint({
  cwd: root,
  ruleFilter: ({ ruleId }) => RULES.includes(ruleId),
  // None of these rules needs types, and reading the whole project for them takes seconds.
  overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions: { project: null } } },
});

async function faultsOf(code: string, file = PRODUCT_FILE): Promise<(string | null)[]> {
  const results = await eslint.lintText(`${code}\n`, { filePath: `${root}${file}` });
  return results.flatMap((result) => result.messages.map((message) => message.ruleId));
}

describe('house rules', () => {
  it.each([
    ['a subject', `export const subject = 'task.coder.high';`],
    ['a wildcard subject', `export const subject = 'event.>';`],
    ['a subject in a template', 'export const subject = (id: string): string => `cancel.${id}`;'],
    ['a subject of a bucket', `export const subject = '$KV.jobs.>';`],
    ['a shell', `export const options = { shell: true };`],
    ['a shell by name', `export const options = { shell: '/bin/sh' };`],
    ['a template as log message', 'log.info(`stored ${jobId}`);'],
    ['a template beside the fields of a log message', 'this.log.warn({ jobId }, `stored ${jobId}`);'],
    ['a concatenated log message', `log.error('stored ' + jobId);`],
    ['a default export', 'export default 1;'],
  ])('refuses %s', async (_what, code) => {
    const faults = await faultsOf(code);

    expect(faults).toEqual(['no-restricted-syntax']);
  });

  it.each([
    ['the name of a file', `export const name = 'log.jsonl';`],
    ['a setting of git', `export const setting = ['log.showSignature', 'log.showSignature=false'];`],
    ['a sentence', `export const text = 'task. Then the next';`],
    ['no shell', `export const options = { shell: false };`],
    ['a constant log message with fields', `log.info({ jobId }, 'job stored');`],
    ['a template elsewhere', 'export const path = (id: string): string => `${id}/event.json`;'],
  ])('lets %s through', async (_what, code) => {
    const faults = await faultsOf(code);

    expect(faults).toEqual([]);
  });

  it('lets subjects through where they belong, and nothing else of the above', async () => {
    const subject = await faultsOf(`export const subject = 'task.coder.high';`, SUBJECTS_FILE);
    const shell = await faultsOf(`export const options = { shell: true };`, SUBJECTS_FILE);

    expect(subject).toEqual([]);
    expect(shell).toEqual(['no-restricted-syntax']);
  });

  it('refuses functions that go through a shell', async () => {
    const faults = await faultsOf(`import { exec } from 'node:child_process';\nexec('ls');`);

    expect(faults).toEqual(['no-restricted-imports']);
  });

  it('keeps clock and chance out of the domain', async () => {
    const clock = await faultsOf('export const now = (): number => Date.now();', DOMAIN_FILE);
    const chance = await faultsOf(`import { randomUUID } from 'node:crypto';\nexport const id = randomUUID();`, DOMAIN_FILE);
    const hash = await faultsOf(`import { createHash } from 'node:crypto';\nexport const h = createHash('sha256');`, DOMAIN_FILE);

    expect(clock).toEqual(['no-restricted-properties']);
    expect(chance).toEqual(['no-restricted-imports']);
    expect(hash).toEqual([]);
  });

  it('keeps console inside the CLI', async () => {
    const inProduct = await faultsOf(`console.log('x');`);
    const inCli = await faultsOf(`console.log('x');`, 'src/cli/main.ts');

    expect(inProduct).toEqual(['no-console']);
    expect(inCli).toEqual([]);
  });

  it('cannot be switched off by a comment', async () => {
    const faults = await faultsOf(`// eslint-disable-next-line no-restricted-syntax\nexport default 1;`);

    expect(faults).toContain('no-restricted-syntax');
  });
});
