import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../../../src/shared/telemetry/log.ts';
import { createRedactor, REDACTED } from '../../../../src/shared/telemetry/redact.ts';

describe('createLog', () => {
  it('writes JSON lines with the agent and the fields', async () => {
    const { log, lines } = await logInMemory();

    log.info({ jobId: 'job-1' }, 'task taken');

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ agentId: 'coder-1', jobId: 'job-1', msg: 'task taken', level: 30 });
  });

  it('keeps only what is severe enough', async () => {
    const { log, lines } = await logInMemory('warn');

    log.info('quiet');
    log.warn('loud');

    expect(lines).toHaveLength(1);
  });

  it('takes a registered secret out of messages, fields and errors', async () => {
    const { log, lines, redactor } = await logInMemory();
    redactor.add('later"secret');

    log.info({ url: 'https://x/hunter-two', nested: { text: 'a later"secret b' } }, 'with hunter-two');
    log.error({ err: new Error('failed with hunter-two') }, 'failed');

    expect(lines.join('')).not.toMatch(/hunter-two|later/);
    expect(lines.join('')).toContain(REDACTED);
    expect(() => JSON.parse(lines[0] ?? '') as unknown).not.toThrow();
  });

  it('also writes a file that only its owner can read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ma-log-'));
    const { log } = await createLog({
      agentId: 'coder-1',
      file: join(folder, 'coder-1.log'),
      stdout: { write: () => undefined },
      secrets: ['hunter-two'],
    });

    log.info('with hunter-two');

    const [name = ''] = await readdir(folder);
    expect(await readFile(join(folder, name), 'utf8')).toContain(`with ${REDACTED}`);
    await rm(folder, { recursive: true });
  });
});

describe('a redactor', () => {
  it.each([
    ['an Anthropic key', 'key sk-ant-api03-abcdefghijklmnop here'],
    ['a GitHub token', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['an nkey seed', `SUAD${'A'.repeat(54)}`],
    ['a password in a URL', 'https://ann:hunter2@example.com/x'],
    ['an authorization header', 'Authorization: Bearer abcdefghijklmnop1234'],
    ['an authorization field', '{"authorization":"Basic YW5uOmh1bnRlcjI9PT0="}'],
    ['a JSON web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmno'],
  ])('takes out %s', (_, text) => {
    expect(createRedactor().redact(text)).toContain(REDACTED);
  });

  it.each([
    ['a commit id', 'commit 0123456789abcdef0123456789abcdef01234567'],
    ['a job id', 'job-01J9ZQ4W3N8R5T2V7X6YACBDEF.implement.1'],
    ['a plain URL', 'nats://127.0.0.1:4222 and https://example.com/a@b'],
    ['prose', 'basic authorization was refused; the bearer of this message'],
  ])('leaves %s alone', (_, text) => {
    expect(createRedactor().redact(text)).toBe(text);
  });

  it('does not take out what is too short to be a secret', () => {
    expect(createRedactor(['a', '']).redact('a cat')).toBe('a cat');
  });
});

async function logInMemory(level = 'info'): Promise<Awaited<ReturnType<typeof createLog>> & { lines: string[] }> {
  const lines: string[] = [];
  const made = await createLog({ agentId: 'coder-1', level, secrets: ['hunter-two'], stdout: { write: (line) => void lines.push(line) } });
  return { ...made, lines };
}
