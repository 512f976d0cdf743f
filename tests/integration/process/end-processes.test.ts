import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { endMarkedProcesses, endProcesses } from '../../../src/shared/process/end-processes.ts';
import { isAlive, listProcesses, readProcess } from '../../../src/shared/process/process-table.ts';
import { createProcessTree, endGroup } from '../../../src/shared/process/process-tree.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { until } from '../../support/until.ts';

const started: ChildProcess[] = [];

/** Starts a process with a mark, and waits until it can be seen. */
async function start(
  mark: string,
  options: { command?: string[]; env?: Record<string, string>; detached?: boolean } = {},
): Promise<number> {
  const [program = '', ...args] = options.command ?? ['sleep', '300'];
  const env = { PATH: process.env['PATH'] ?? '', MULTI_AGENT_RUN: mark, ...options.env };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], detached: options.detached ?? false });
  started.push(child);
  await until('it runs', () => pidsWith(`MULTI_AGENT_RUN=${mark}`).includes(child.pid ?? 0));
  return child.pid ?? 0;
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

describe('endMarkedProcesses', () => {
  const agentId = (): string => `coder-${randomUUID()}`;

  it('ends every process of an agent, whichever the attempt, and names them', async () => {
    const agent = agentId();
    const pids = [await start(`${agent}:1`), await start(`${agent}:2`, { command: ['setsid', 'sleep', '300'] })];

    const ended = await endMarkedProcesses(`${agent}:`);

    expect(ended).toEqual(expect.arrayContaining(pids));
    expect(await endMarkedProcesses(`${agent}:`)).toEqual([]);
    expect(pids.filter((pid) => isAlive(pid))).toEqual([]);
  });

  it('kills what ignores SIGTERM after the grace', async () => {
    const agent = agentId();
    const pid = await start(`${agent}:1`, { command: ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'] });
    const output = started[0]?.stdout;
    if (output !== undefined && output !== null) await once(output, 'data');

    await endMarkedProcesses(`${agent}:`, { graceMs: 200 });

    expect(isAlive(pid)).toBe(false);
  });

  it('spares agents whose id only starts the same, and variables that only end the same', async () => {
    const agent = agentId();
    const longer = await start(`${agent}1:1`);
    const other = await start('somebody:1', { env: { NOT_MULTI_AGENT_RUN: `${agent}:1` } });

    await endMarkedProcesses(`${agent}:`);

    expect([isAlive(longer), isAlive(other)]).toEqual([true, true]);
  });

  it('spares the same agent of another installation, and of none', async () => {
    const agent = agentId();
    const unnamed = await start(`${agent}:1`);
    const own = await start(`${agent}:1`, { env: { MULTI_AGENT_SYSTEM: '/home/a' } });
    const foreign = await start(`${agent}:1`, { env: { MULTI_AGENT_SYSTEM: '/home/b' } });

    await endMarkedProcesses(`${agent}:`, { system: '/home/a' });

    expect([isAlive(own), isAlive(foreign), isAlive(unnamed)]).toEqual([false, true, true]);
  });

  it('never ends the process it runs in, nor one that started it', async () => {
    const agent = agentId();
    const module = new URL('../../../src/shared/process/end-processes.ts', import.meta.url).href;
    const script = `const { endMarkedProcesses } = await import(${JSON.stringify(module)});
      console.log(JSON.stringify(await endMarkedProcesses(${JSON.stringify(`${agent}:`)})));`;
    const command = [
      'sh',
      '-c',
      'sleep 300 & "$@"; echo after',
      'sh',
      process.execPath,
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      script,
    ];
    await start(`${agent}:1`, { command });
    let output = '';
    started[0]?.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));

    await until('it is done', () => output.includes('after'), 30_000);

    expect(output).toMatch(/^\[\d+(?:,\d+)*\]\nafter\n$/);
    await until('the shell has ended too', () => pidsWith(`MULTI_AGENT_RUN=${agent}:1`).length === 0);
  });

  it('does nothing for an empty prefix', async () => {
    const pid = await start('somebody:1');

    expect(await endMarkedProcesses('')).toEqual([]);
    expect(isAlive(pid)).toBe(true);
  });
});

describe('endProcesses', () => {
  it('does not hit a process that got the pid of one that was seen', async () => {
    const pid = await start('somebody:1');
    const now = readProcess(pid);
    const earlier = now === undefined ? [] : [{ ...now, startTicks: now.startTicks - 1 }];

    const left = await endProcesses(() => earlier, { graceMs: 50, giveUpMs: 150 });

    expect(left).toEqual([pid]);
    expect(isAlive(pid)).toBe(true);
  });
});

describe('endGroup', () => {
  it('ends a group where there is no process table', async () => {
    const pid = await start('somebody:1', { command: ['sh', '-c', 'trap "" TERM; echo ready; sleep 300 & wait; wait'], detached: true });
    const output = started[0]?.stdout;
    if (output !== undefined && output !== null) await once(output, 'data');

    const left = await endGroup(pid, { graceMs: 100 });

    expect(listProcesses().filter((entry) => entry.group === pid)).toEqual([]);
    expect(left).toEqual([]);
  });

  it('says when there is nothing to end', async () => {
    const pid = await start('somebody:1', { detached: true });
    await createProcessTree(pid, { run: 'somebody:1', runId: 'none' }).end();

    expect(await endGroup(pid)).toEqual([]);
  });
});

describe('isAlive', () => {
  it('takes no zombie for alive', async () => {
    // The shell becomes a program that never waits for the child it inherits.
    await start('somebody:1', { command: ['sh', '-c', 'sleep 0.2 & echo $!; exec sleep 300'] });
    let output = '';
    started[0]?.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until('the pid is printed', () => output.endsWith('\n'));
    const zombie = Number(output);

    await until('it is a zombie', () => readProcess(zombie)?.state === 'Z');

    expect(process.kill(zombie, 0)).toBe(true);
    expect(isAlive(zombie)).toBe(false);
  });

  it('knows this process, and that there are no others of impossible pids', () => {
    expect([process.pid, 0, -1, 4_194_305, Number.NaN].map((pid) => isAlive(pid))).toEqual([true, false, false, false, false]);
  });
});
