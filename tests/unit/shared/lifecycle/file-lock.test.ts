import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withFileLock } from '../../../../src/shared/lifecycle/file-lock.ts';
import { commandLineOf, isAlive } from '../../../../src/shared/lifecycle/process-state.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ma-lock-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('withFileLock', () => {
  it('lets one in at a time, and leaves nothing behind', async () => {
    const order: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      order.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} out`);
    };

    await Promise.all(['a', 'b', 'c'].map((name) => withFileLock(join(folder, 'lock'), work(name))));

    for (const index of [0, 2, 4]) expect(order[index + 1]).toBe(order[index]?.replace('in', 'out'));
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over from a holder that is gone', async () => {
    await writeFile(join(folder, 'lock'), String(await endedProcess()));

    let inside = 0;
    const work = async (): Promise<number> => {
      inside += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return inside--;
    };

    const seen = await Promise.all(Array.from({ length: 20 }, () => withFileLock(join(folder, 'lock'), work)));

    expect(Math.max(...seen)).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over even where a takeover was killed in its midst', async () => {
    const long = new Date(Date.now() - 60_000);
    await writeFile(join(folder, 'lock'), String(await endedProcess()));
    await writeFile(join(folder, 'lock.takeover'), String(await endedProcess()));
    await utimes(join(folder, 'lock.takeover'), long, long);

    expect(await withFileLock(join(folder, 'lock'), async () => 'done')).toBe('done');
  });

  it('gives up on a living holder, naming it', async () => {
    await writeFile(join(folder, 'lock'), String(process.ppid));

    const waiting = withFileLock(join(folder, 'lock'), async () => undefined, { timeoutMs: 1 });

    await expect(waiting).rejects.toMatchObject({ code: 'locked' });
    await expect(waiting).rejects.toThrow(String(process.ppid));
  });

  it('is given back when the work fails', async () => {
    const failing = withFileLock(join(folder, 'lock'), () => Promise.reject(new Error('no')));

    await expect(failing).rejects.toThrow('no');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('isAlive', () => {
  it('tells a running process from one that ended, and from nonsense', async () => {
    expect(await isAlive(process.pid)).toBe(true);
    expect(await isAlive(await endedProcess())).toBe(false);
    expect(await isAlive(Number.NaN)).toBe(false);
    expect(await isAlive(0)).toBe(false);
  });
});

describe('commandLineOf', () => {
  it('is what the process was started with, empty when there is none', async () => {
    expect(await commandLineOf(process.pid)).toContain('jest');
    expect(await commandLineOf(await endedProcess())).toBe('');
  });
});

async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}
