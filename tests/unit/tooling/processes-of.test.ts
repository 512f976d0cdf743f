import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';

type ProcessesOf = (folder: string) => { readonly pid: number; readonly command: string }[];
const script: unknown = await import(new URL('../../../scripts/processes-of.mjs', import.meta.url).href);
const { endProcessesOf, processesOf } = script as { readonly endProcessesOf: ProcessesOf; readonly processesOf: ProcessesOf };

// Elsewhere there is no telling what a process was started with.
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('ends what was started with a folder in its environment or its arguments, and nothing else', async () => {
  const folder = `/tmp/of-a-test-${String(process.pid)}`;
  const program = 'setInterval(() => {}, 1000); console.log("up")';
  const start = (HOME: string, ...args: string[]) => spawn(process.execPath, ['-e', program, ...args], { env: { HOME } });
  const ours = [start(`${folder}/home`), start('/tmp/elsewhere', `${folder}/conf`)];
  const another = start('/tmp/elsewhere');
  await Promise.all([...ours, another].map(({ stdout }) => once(stdout, 'data')));
  const ended = ours.map((child) => once(child, 'close'));

  const found = processesOf(folder);
  const killed = endProcessesOf(folder);
  await Promise.all(ended);

  expect(found.map(({ pid }) => pid).sort()).toEqual(ours.map(({ pid }) => pid).sort());
  expect(found[0]?.command).toContain('setInterval');
  expect(killed).toEqual(found);
  expect(processesOf(folder)).toEqual([]);
  expect(another.kill()).toBe(true);
});
