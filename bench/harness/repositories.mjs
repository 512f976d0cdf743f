import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './processes.mjs';

const IDENTITY = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', '-c', 'commit.gpgSign=false'];

/** git in a repository, by a person who has a name. */
export function git(repository, ...args) {
  return run('git', ['-C', repository, ...IDENTITY, ...args]).trim();
}

/** A repository with one small commit on `main`, checked out. */
export async function smallRepository(folder) {
  await mkdir(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main');
  await writeFile(join(folder, 'README.md'), '# sample\n');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'first');
  return folder;
}

/** A repository of `files` files that are `bytes` in all, on `main`; their texts differ and compress as source code does. */
export async function largeRepository(folder, { files, bytes }) {
  await mkdir(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main');
  const each = Math.ceil(bytes / files);
  for (let n = 0; n < files; n += 100) {
    const directory = join(folder, `part-${String(Math.floor(n / 2_000))}`, `module-${String(n / 100)}`);
    await mkdir(directory, { recursive: true });
    await Promise.all(range(Math.min(100, files - n)).map((at) => writeFile(join(directory, `file-${String(at)}.ts`), text(n + at, each))));
  }
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'a large one');
  return folder;
}

function text(seed, length) {
  let line = '';
  for (let n = 0; line.length < length; n++) {
    const value = (seed * 2_654_435_761 + n * 40_503) >>> 0;
    line += `export const value${value.toString(36)} = [${String(value)}, ${String(value >>> 7)}, '${value.toString(16)}'];\n`;
  }
  return line.slice(0, length);
}

function range(length) {
  return Array.from({ length }, (_, at) => at);
}
