import { access, link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeAside, sweepAside } from '../../git/aside.ts';
import { hasErrorCode } from '../../git/error-code.ts';
import { hostFault, withHostFaults } from '../../git/host-fault.ts';

/**
 * Writes something that happened, once: complete and on the disk before it has its name. Gives false, and changes nothing,
 * where it was written before, by whomever. Throws what `hostFault` says.
 *
 * @param madeIn the directory in which it is made, on the same file system; what a crash has left of others in it is deleted, so that it is to be
 *   one whose size does not grow with history
 */
export function writeFact(file: string, fact: unknown, madeIn: string): Promise<boolean> {
  return withHostFaults(() => write(file, fact, madeIn));
}

async function write(file: string, fact: unknown, madeIn: string): Promise<boolean> {
  const directory = path.dirname(file);
  for (const needed of [directory, madeIn]) await mkdir(needed, { recursive: true, mode: 0o700 });
  await sweepAside(madeIn);
  const aside = await makeAside(madeIn);
  const temporary = path.join(aside, 'fact');
  try {
    await writeDurably(temporary, `${JSON.stringify(fact)}\n`);
    await link(temporary, file);
    await syncDirectory(directory);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** The fact in a file, undefined where it has not happened. */
export async function readFact(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw hostFault(error) ?? error;
  });
  return text === undefined ? undefined : JSON.parse(text);
}

/** Whether it has happened. Throws what `hostFault` says. */
export async function hasFact(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    (error: unknown) => {
      if (hasErrorCode(error, 'ENOENT')) return false;
      throw hostFault(error) ?? error;
    },
  );
}

/** The names of the facts in a directory, sorted. */
export async function listFacts(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).sort();
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
