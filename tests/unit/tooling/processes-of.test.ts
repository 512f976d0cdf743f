import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { endProcessesOf, processesOf } from '../../../scripts/processes-of.mjs';

// Elsewhere there is no telling what a process was started with.
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('ends what was started with a folder in its environment, and nothing else', async () => {
  const folder = `/tmp/of-a-test-${String(process.pid)}`;
  const script = 'setInterval(() => {}, 1000); console.log("up")';
  const [ours, another] = [`${folder}/home`, '/tmp/elsewhere'].map((HOME) => spawn(process.execPath, ['-e', script], { env: { HOME } }));
  if (!ours || !another) throw new Error('not started');
  await Promise.all([ours, another].map(({ stdout }) => once(stdout, 'data')));
  const ended = once(ours, 'close');

  const found = processesOf(folder);
  const killed = endProcessesOf(folder);
  await ended;

  expect(found).toEqual([{ pid: ours.pid, command: expect.stringContaining('setInterval') }]);
  expect(killed).toEqual(found);
  expect(processesOf(folder)).toEqual([]);
  expect(another.kill()).toBe(true);
});
