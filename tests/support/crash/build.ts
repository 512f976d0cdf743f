import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

export interface BuiltPrograms {
  /** The JavaScript of `tests/support/crash/programs/<name>.ts`. */
  program(name: string): string;
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = ['src/agents', 'src/shared', 'tests/support/crash'];
const IMPORT = /((?:from|import\()\s*'\.{1,2}\/[^']+)\.ts'/g;

/** Compiles the crashing daemons, and what they are made of, to a folder of their own: plain Node runs them. */
export async function buildPrograms(): Promise<BuiltPrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'ma-crash-build-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
  for (const source of SOURCES) {
    const names = await readdir(join(ROOT, source), { recursive: true });
    await Promise.all(names.filter((name) => /(?<!\.d)\.ts$/.test(name)).map((name) => compile(folder, join(source, name))));
  }
  return {
    program: (name) => join(folder, 'tests/support/crash/programs', `${name}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compile(folder: string, name: string): Promise<void> {
  const text = (await readFile(join(ROOT, name), 'utf8')).replaceAll(IMPORT, "$1.js'");
  const { code } = await transform(text, {
    swcrc: false,
    module: { type: 'es6' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, transform: { verbatimModuleSyntax: true } },
  });
  const target = join(folder, name.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code);
}
