import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const PROGRAMS = join(ROOT, 'bench', 'programs');
export const MULTI_AGENT = join(ROOT, 'dist', 'cli', 'main.js');

/** A module of the product, as it is built. */
export async function product(path) {
  return import(pathToFileURL(join(ROOT, 'dist', `${path}.js`)).href);
}

/** A new folder, removed with the scope. */
export async function temporaryFolder(onEnd) {
  const folder = await mkdtemp(join(tmpdir(), 'multi-agent-bench-'));
  onEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
