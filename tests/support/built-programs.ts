import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface BuiltPrograms {
  /** The JavaScript of `tests/support/<ring>/programs/<name>.ts`. */
  program(name: string): string;
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROLES = ['repo-manager', 'coder', 'reviewer'] as const;
const BUNDLE = join(ROOT, 'scripts', 'bundle-test-programs.mjs');

/**
 * The daemons of a ring's tests, each made one file as the product's own are: such a one starts in half the time that it takes to load a
 * few hundred, and they are started hundreds of times.
 */
export async function buildPrograms(ring: 'crash' | 'chaos'): Promise<BuiltPrograms> {
  const folder = await mkdtemp(join(tmpdir(), `ma-${ring}-build-`));
  const target = join(folder, 'programs');
  await mkdir(target);
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
  const sources = ROLES.map((role) => join(ROOT, 'tests/support', ring, 'programs', `${role}.ts`));
  await promisify(execFile)(process.execPath, [BUNDLE, target, ...sources]);
  return {
    program: (name) => join(target, `${name}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
