import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bootstrapOrExit } from './bootstrap.mjs';
import { temporaryFolder } from './temporary-folder.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Sets up what is missing and runs one of the long checks, which are TypeScript in `tests/support/chaos/programs`. Where that is allowed, in
 * a mount namespace of its own: a file system that it mounts is gone when it ends, however it ends.
 */
export async function runHarness(name) {
  await bootstrapOrExit({ build: false });
  const program = join(root, 'tests', 'support', 'chaos', 'programs', `${name}.ts`);
  const argv = [process.execPath, '--import', 'tsx', program, ...process.argv.slice(2)];
  const apart = mayUnshare();
  const [command, ...args] = apart ? ['unshare', '--mount', '--propagation', 'private', ...argv] : argv;
  const env = { ...process.env, TMPDIR: temporaryFolder(), ...(apart ? { CHAOS_OWN_MOUNTS: '1' } : {}) };
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const pass = (signal) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', pass);
  const [code, signal] = await new Promise((resolve) => child.once('close', (...ended) => resolve(ended)));
  process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 130 : 1);
}

function mayUnshare() {
  if (process.getuid?.() !== 0) return false;
  return spawnSync('unshare', ['--mount', '--propagation', 'private', 'true'], { stdio: 'ignore' }).status === 0;
}
