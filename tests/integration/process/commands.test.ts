import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CheckResult } from '../../../src/shared/domain/change.ts';
import { InterruptedError } from '../../../src/shared/errors/errors.ts';
import { type CommandOutput, type CommandsOptions, runChecks, runSetup } from '../../../src/shared/process/commands.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

describe('runChecks', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let options: CommandsOptions;

  beforeEach(() => {
    directory = temporaryDirectory('checks');
    options = { cwd: directory.path, timeoutMs: 20_000, mark: `coder-1:${randomUUID()}`, graceMs: 200 };
  });

  afterEach(() => {
    directory.remove();
  });

  it('runs all of them in order, also after one that failed', async () => {
    const results = await runChecks(['touch a', ['sh', '-c', 'echo no >&2; exit 4'], 'ls'], options);

    expect(results).toMatchObject([
      { command: 'touch a', passed: true, exitCode: 0, output: '' },
      { command: 'sh -c "echo no >&2; exit 4"', passed: false, exitCode: 4, output: 'no\n' },
      { command: 'ls', passed: true, exitCode: 0, output: 'a\n' },
    ]);
    expect(results.map((result) => CheckResult.safeParse(result).success)).toEqual([true, true, true]);
  });

  it('uses no shell', async () => {
    const [result] = await runChecks(['echo $HOME && touch "made by a shell"'], options);

    expect(result?.output).toBe('$HOME && touch made by a shell\n');
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('counts a missing program and an empty command as failed checks', async () => {
    const results = await runChecks(['no-such-program-anywhere', '""', 'true'], options);

    expect(results.map((result) => result.passed)).toEqual([false, false, true]);
    expect(results[0]).toMatchObject({ exitCode: null, output: 'no-such-program-anywhere was not found on PATH' });
    expect(results[1]?.output).toContain('names no program');
  });

  it('keeps the last 16 KB of what a check printed, both streams together', async () => {
    const [result] = await runChecks([['sh', '-c', 'seq 100000; sleep 0.1; echo last >&2; exit 1']], options);

    expect(Buffer.byteLength(result?.output ?? '')).toBe(16 * 1024);
    expect(result?.output.endsWith('99999\n100000\nlast\n')).toBe(true);
  });

  it('ends a check that takes too long, and says so', async () => {
    const [result] = await runChecks([['sh', '-c', 'trap "exit 0" TERM; echo working; while :; do sleep 0.02; done']], {
      ...options,
      timeoutMs: 300,
    });

    expect(result).toMatchObject({ passed: false, exitCode: null });
    expect(result?.output).toMatch(/^working\n(?:.*\n)*\[ended: it took longer than 0\.3 s\]\n$/);
  });

  it('says which signal ended a check', async () => {
    const [result] = await runChecks([['sh', '-c', 'kill -9 $$']], options);

    expect(result).toMatchObject({ passed: false, exitCode: null, output: '[ended by SIGKILL]\n' });
  });

  it('tells what it runs, and what that prints', async () => {
    const outputs: CommandOutput[] = [];

    await runChecks(['echo hello', 'no-such-program-anywhere'], { ...options, onOutput: (output) => outputs.push(output) });

    expect(outputs).toEqual([
      { type: 'note', text: '$ echo hello' },
      { type: 'stdout', text: 'hello' },
      { type: 'note', text: '$ no-such-program-anywhere' },
      { type: 'note', text: 'no-such-program-anywhere was not found on PATH' },
    ]);
  });

  it('stops when it is no longer wanted, and leaves no process', async () => {
    const controller = new AbortController();
    const running = runChecks([['sh', '-c', 'setsid sleep 300 & sleep 300'], 'touch never'], { ...options, signal: controller.signal });
    await until('it runs', () => pidsWith(`MULTI_AGENT_RUN=${options.mark}`).length >= 3);

    controller.abort();

    await expect(running).rejects.toBeInstanceOf(InterruptedError);
    expect(pidsWith(`MULTI_AGENT_RUN=${options.mark}`)).toEqual([]);
    expect(readdirSync(directory.path)).toEqual([]);
  });
});

describe('runSetup', () => {
  it('stops after the first command that fails', async () => {
    const directory = temporaryDirectory('setup');

    const results = await runSetup(['touch a', 'false', 'touch b'], { cwd: directory.path, timeoutMs: 10_000, mark: 'coder-1:1' });

    const files = readdirSync(directory.path);
    directory.remove();
    expect(results.map((result) => result.passed)).toEqual([true, false]);
    expect(files).toEqual(['a']);
  });
});
