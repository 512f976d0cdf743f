import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuiltPrograms } from '../crash/build.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ROLES = ['repo-manager', 'coder', 'reviewer'] as const;
/** As deep as the file that looks for `package.json` lies in `dist`. */
const DEPTH = 'dist/chaos/programs';

interface Bundler {
  build(options: object): Promise<unknown>;
}

/**
 * The daemons of the scripted world, each in one file: such a one starts in half the time that it takes to load a few hundred, and they
 * are started hundreds of times.
 */
export async function bundlePrograms(): Promise<BuiltPrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'ma-chaos-build-'));
  await mkdir(join(folder, DEPTH), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
  const { build } = await findBundler();
  await build({
    entryPoints: ROLES.map((role) => join(ROOT, 'tests/support/chaos/programs', `${role}.ts`)),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outdir: join(folder, DEPTH),
    // CommonJS packages among what is bundled ask for it.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return {
    program: (name) => join(folder, DEPTH, `${name}.js`),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The one that tsx works with: no dependency of its own for what is there anyway. */
async function findBundler(): Promise<Bundler> {
  const tsx = createRequire(import.meta.url).resolve('tsx');
  return (await import(pathToFileURL(createRequire(tsx).resolve('esbuild')).href)) as Bundler;
}
