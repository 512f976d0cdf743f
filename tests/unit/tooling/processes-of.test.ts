import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';

type ProcessesOf = (folder: string) => { readonly pid: number; readonly command: string }[];
const script: unknown = await import(new URL('../../../scripts/processes-of.mjs', import.meta.url).href);
const { endProcessesOf, processesOf } = script as { readonly endProcessesOf: ProcessesOf; readonly processesOf: ProcessesOf };

// Elsewhere there is no telling what a process was started with.
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('ends what was started with a folder in its environment, and nothing else', async () => {
  const folder = `/tmp/of-a-test-${String(process.pid)}`;
  const program = 'setInterval(() => {}, 1000); console.log("up")';
  const start = (HOME: string) => spawn(process.execPath, ['-e', program], { env: { HOME } });
  const [ours, another] = [start(`${folder}/home`), start('/tmp/elsewhere')];
  await Promise.all([ours, another].map(({ stdout }) => once(stdout, 'data')));
  const ended = once(ours, 'close');

  const found = processesOf(folder);
  const killed = endProcessesOf(folder);
  await ended;

  expect(found).toEqual([expect.objectContaining({ pid: ours.pid })]);
  expect(found[0]?.command).toContain('setInterval');
  expect(killed).toEqual(found);
  expect(processesOf(folder)).toEqual([]);
  expect(another.kill()).toBe(true);
});
