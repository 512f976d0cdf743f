import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Is a process of this id doing anything? A zombie counts as gone: in a container without an init, killed processes stay as zombies
 * and a signal 0 still reaches them.
 */
export async function isAlive(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !(await isZombie(pid));
}

async function isZombie(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return (await psField(pid, 'stat')).startsWith('Z');
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  // The second field is the name in brackets, which may hold spaces and brackets of its own.
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return stat === '' || state === 'Z' || state === 'X';
}

/** The command line of a process, its arguments separated by spaces; empty when there is no such process. */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return psField(pid, 'command');
  const raw = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '');
  return raw.replaceAll('\0', ' ').trim();
}

async function psField(pid: number, field: string): Promise<string> {
  const result = await run('ps', ['-o', `${field}=`, '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return result.stdout.trim();
}
