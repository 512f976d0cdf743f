import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RetryableError, TerminalError } from '../../../src/shared/errors/errors.ts';
import { isAlive } from '../../../src/shared/process/process-table.ts';
import { type OutputLine, type ProcessOptions, type ProcessResult, runProcess } from '../../../src/shared/process/run-process.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

const FAKES = join(import.meta.dirname, '../../support/fake-runners');

describe('runProcess', () => {
  const lines: OutputLine[] = [];
  let directory: ReturnType<typeof temporaryDirectory>;
  let mark: string;

  const run = (argv: ProcessOptions['argv'], options: Partial<ProcessOptions> = {}): Promise<ProcessResult> =>
    runProcess({ argv, cwd: directory.path, mark, onLine: (line) => lines.push(line), graceMs: 300, ...options });
  const sh = (script: string, options: Partial<ProcessOptions> = {}): Promise<ProcessResult> => run(['sh', '-c', script], options);
  const marked = (): number[] => pidsWith(`MULTI_AGENT_RUN=${mark}`);

  beforeEach(() => {
    lines.length = 0;
    directory = temporaryDirectory('process');
    mark = `coder-1:${randomUUID()}`;
  });

  afterEach(() => {
    const left = marked();
    directory.remove();
    expect(left).toEqual([]);
  });

  it('gives the exit status and what was printed', async () => {
    const result = await sh('echo out; echo err >&2; exit 3');

    expect(result).toMatchObject({
      exitCode: 3,
      signal: null,
      endedBy: null,
      stdout: 'out\n',
      stderr: 'err\n',
      droppedBytes: 0,
      survivors: [],
    });
    expect(lines).toHaveLength(2);
    expect(lines).toEqual(
      expect.arrayContaining([
        { type: 'stdout', text: 'out' },
        { type: 'stderr', text: 'err' },
      ]),
    );
  });

  it('tells the signal that ended it', async () => {
    expect(await sh('kill -9 $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL', endedBy: null });
  });

  it('hands arguments over as they are, without a shell', async () => {
    const result = await run(['printf', '%s|', '$HOME', '* ; exit 1', "it's"]);

    expect(result.stdout).toBe("$HOME|* ; exit 1|it's|");
  });

  it('writes stdin and closes it', async () => {
    const text = 'question\n'.repeat(100_000);

    const result = await run(['cat'], { stdin: text });

    expect(result.stdout).toBe(text);
  });

  it('does not mind a program that never reads its stdin', async () => {
    expect(await run(['true'], { stdin: 'x'.repeat(5_000_000) })).toMatchObject({ exitCode: 0, endedBy: null });
  });

  it('gives an empty stdin where there is nothing to say', async () => {
    expect(await run(['cat'])).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('sets the mark in spite of what is let through', async () => {
    const environment = { set: { MULTI_AGENT_RUN: 'forged', MINE: 'set' } };

    const { stdout } = await run(['env'], { environment, system: '/home/of/system' });

    const variables = stdout.split('\n');
    expect(variables).toEqual(expect.arrayContaining([`MULTI_AGENT_RUN=${mark}`, 'MULTI_AGENT_SYSTEM=/home/of/system', 'MINE=set']));
  });

  it('keeps the end of a flood and counts the rest', async () => {
    let bytes = 0;

    const result = await run([join(FAKES, 'flood.mjs')], { maxOutputBytes: 20_000, onLine: ({ text }) => (bytes += text.length + 1) });

    expect(bytes).toBe(40 * 1024 * 1024 + 'that was all\n'.length);
    expect(Buffer.byteLength(result.stdout)).toBe(10_000);
    expect(result.stdout.endsWith('\nthat was all\n')).toBe(true);
    expect(result.droppedBytes).toBe(bytes - 10_000);
  });

  it('does not grow with a flood', () => {
    const module = new URL('../../../src/shared/process/run-process.ts', import.meta.url).href;
    const options = { argv: [join(FAKES, 'flood.mjs')], cwd: '/', mark };
    const script = `const { runProcess } = await import(${JSON.stringify(module)});
      const before = process.resourceUsage().maxRSS;
      for (let i = 0; i < 3; i++) await runProcess({ ...${JSON.stringify(options)}, onLine: () => undefined });
      console.log((process.resourceUsage().maxRSS - before) / 1024);`;

    // A process of its own, so that nothing else in this one counts; with a heap that 120 MB of lines would burst.
    const grownMb = Number(
      execFileSync(process.execPath, ['--max-old-space-size=64', '--import', 'tsx', '--input-type=module', '-e', script]),
    );

    expect(grownMb).toBeLessThan(100);
  });

  it('hands on no descriptor that it was given itself', () => {
    const module = new URL('../../../src/shared/process/run-process.ts', import.meta.url).href;
    const argv = ['sh', '-c', 'readlink /proc/$$/fd/40'];
    const script = `const { runProcess } = await import(${JSON.stringify(module)});
      const { stdout } = await runProcess({ argv: ${JSON.stringify(argv)}, cwd: '/', mark: ${JSON.stringify(mark)} });
      const { execFileSync } = await import('node:child_process');
      const plain = execFileSync('sh', ['-c', 'readlink /proc/$$/fd/40'], { encoding: 'utf8' });
      console.log(JSON.stringify({ given: stdout.trim(), givenByNode: plain.trim() }));`;
    const secret = join(directory.path, 'secret');
    writeFileSync(secret, '');

    const told = execFileSync(
      'bash',
      ['-c', 'exec 40<"$1" "$0" --import tsx --input-type=module -e "$2"', process.execPath, secret, script],
      {
        encoding: 'utf8',
      },
    );

    // The control: what Node.js starts by itself has it.
    expect(JSON.parse(told)).toEqual({ given: '/dev/null', givenByNode: secret });
  });

  it('survives a listener that throws', async () => {
    const onLine = (): never => {
      throw new Error('listener');
    };

    expect(await sh('echo one; echo two', { onLine })).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n' });
  });

  it('ends a tree that ignores SIGTERM at the wall limit', async () => {
    const result = await run([join(FAKES, 'hang.sh'), 'stubborn'], { wallMs: 300 });

    expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL', endedBy: 'wall', survivors: [] });
    expect(result.durationMs).toBeGreaterThanOrEqual(600);
  });

  it('lets a program end by itself within the grace', async () => {
    const result = await sh('trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.02; done', { wallMs: 300, graceMs: 10_000 });

    expect(result).toMatchObject({ exitCode: 7, endedBy: 'wall', stdout: 'ready\nbye\n' });
  });

  it('counts only silence as a stall', async () => {
    const result = await sh('for i in 1 2 3 4 5 6; do sleep 0.1; echo $i >&2; done; sleep 300', { stallMs: 400 });

    expect(result).toMatchObject({ endedBy: 'stall', stderr: '1\n2\n3\n4\n5\n6\n' });
  });

  it('ends everything on abort', async () => {
    const controller = new AbortController();
    const running = run([join(FAKES, 'hang.sh')], { signal: controller.signal });
    await until('the family runs', () => marked().length >= 4);

    controller.abort();

    expect(await running).toMatchObject({ endedBy: 'abort', signal: 'SIGTERM' });
  });

  it('starts nothing when it was aborted before', async () => {
    const result = await run(['touch', 'started'], { signal: AbortSignal.abort() });

    expect(result).toMatchObject({ exitCode: null, endedBy: 'abort', stdout: '' });
    expect(await run(['ls'])).toMatchObject({ stdout: '' });
  });

  it('ends what a program that ended well left behind', async () => {
    const result = await run([join(FAKES, 'leave-behind.sh')]);

    expect(result).toMatchObject({ exitCode: 0, endedBy: null, stdout: 'done\n' });
  });

  it('ends a descendant that left the session and cleared its environment', async () => {
    const running = sh('env -i sh -c "setsid sleep 300 & echo \\$!; wait"', { wallMs: 400 });
    await until('the pid is printed', () => lines.length > 0);
    const pid = Number(lines[0]?.text);

    await running;

    expect(pid).toBeGreaterThan(1);
    expect(isAlive(pid)).toBe(false);
  });

  it('settles when something it cannot find holds the pipes open', async () => {
    // Out of the session, without a mark, its parents gone: only a pid namespace would hold it.
    const escape = 'env -i setsid sh -c "echo \\$\\$ > escaping; mv escaping escaped; exec sleep 30"';
    const result = await sh(`(${escape} &); while [ ! -e escaped ]; do sleep 0.02; done`);

    const pid = Number(readFileSync(join(directory.path, 'escaped'), 'utf8'));
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
    expect(result).toMatchObject({ exitCode: 0, endedBy: null });
    expect(result.durationMs).toBeLessThan(6_000);
  });

  it('leaves another run with the same mark alone', async () => {
    const controller = new AbortController();
    const short = sh('while [ ! -e end ]; do sleep 0.02; done');
    await until('the first runs', () => marked().length >= 2);
    // Younger than the first: nothing but its own id tells the two apart.
    const other = run([join(FAKES, 'hang.sh')], { signal: controller.signal });
    await until('the other runs', () => lines.some((line) => line.text === 'started'));

    writeFileSync(join(directory.path, 'end'), '');
    await short;
    const left = marked();

    controller.abort();
    expect(await other).toMatchObject({ endedBy: 'abort' });
    expect(left.length).toBeGreaterThan(0);
  });

  it('does not call a pause of its own process a stall of the other', async () => {
    const module = new URL('../../../src/shared/process/run-process.ts', import.meta.url).href;
    const spoken = join(directory.path, 'spoken');
    const argv = ['sh', '-c', `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo $i; echo $i >> ${spoken}; sleep 0.1; done`];
    const script = `const { runProcess } = await import(${JSON.stringify(module)});
      const onLine = ({ text }) => console.log(text);
      const { endedBy } = await runProcess({ argv: ${JSON.stringify(argv)}, cwd: '/', mark: ${JSON.stringify(mark)}, stallMs: 400, onLine });
      console.log('endedBy', endedBy);`;
    const pausing = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    pausing.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until('it reads', () => output.includes('1\n'), 30_000);

    pausing.kill('SIGSTOP');
    const before = spokenLines(spoken);
    await until('longer than the limit has passed', () => spokenLines(spoken) >= before + 7);
    pausing.kill('SIGCONT');
    await until('it is done', () => output.includes('endedBy'));

    expect(output).toContain('15\nendedBy null');
  });

  it('names the program that is missing, or may not be executed', async () => {
    const script = join(directory.path, 'script');
    writeFileSync(script, '#!/bin/sh\n');

    await expect(run(['no-such-program-anywhere'])).rejects.toMatchObject({
      code: 'program_not_found',
      message: 'no-such-program-anywhere was not found on PATH',
    });
    await expect(run([script])).rejects.toMatchObject({ code: 'program_not_executable', details: { program: script } });
    await expect(run([script])).rejects.toBeInstanceOf(TerminalError);
  });

  it('tells a missing interpreter and a missing directory from a missing program', async () => {
    const script = join(directory.path, 'script');
    writeFileSync(script, '#!/no/such/interpreter\n');
    chmodSync(script, 0o755);

    await expect(run([script])).rejects.toMatchObject({ code: 'program_not_found', message: expect.stringContaining('interpreter') });
    await expect(run(['true'], { cwd: join(directory.path, 'gone') })).rejects.toMatchObject({ code: 'directory_not_found' });
  });

  it('reports what the system refuses to start', async () => {
    const tooLong = 'x'.repeat(3_000_000);

    const failed = run(['true', tooLong]);

    await expect(failed).rejects.toMatchObject({ code: 'program_not_started', message: expect.stringContaining('E2BIG') });
    await expect(run(['true', tooLong])).rejects.not.toBeInstanceOf(RetryableError);
  });

  it('runs what the wrapper makes of the command', async () => {
    const result = await run(['echo', 'inside'], { wrap: (command) => ({ ...command, argv: ['env', 'WRAPPED=1', ...command.argv] }) });

    expect(result.stdout).toBe('inside\n');
  });
});

function spokenLines(file: string): number {
  return readFileSync(file, 'utf8').trim().split('\n').length;
}
