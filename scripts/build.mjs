/**
 * `npm run build`: compiles `src` to `dist`, then makes each program there one file with all it imports, and the `bin` executable.
 *
 * Loading two hundred small modules takes Node longer than all that a command then does. The other files stay for scripts that import one.
 *
 * Nothing is deleted before the compiler is done, so that a running system keeps its files; what no longer has a source goes afterwards.
 * A type error is exit 1, the output is written all the same.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundlePrograms } from './bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const bin = join(root, 'dist', 'cli', 'main.js');

const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
removeOrphans(join(root, 'dist'), join(root, 'src'));
await bundlePrograms(root);
if (existsSync(bin)) chmodSync(bin, 0o755);
process.exitCode = compiled.status ?? 1;

/** Removes what an earlier build made of sources that are gone. */
function removeOrphans(dist, src) {
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    const built = join(dist, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(join(src, entry.name))) removeOrphans(built, join(src, entry.name));
      else rmSync(built, { recursive: true });
    } else if (entry.name.endsWith('.js') && !existsSync(join(src, entry.name.replace(/\.js$/, '.ts')))) {
      rmSync(built);
    }
  }
}
