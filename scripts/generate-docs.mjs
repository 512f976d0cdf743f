/**
 * `npm run docs:generate`: writes whatever in the docs comes from the code, by running every `scripts/write-*.ts`. A unit test fails when
 * what they write and what is committed differ.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bootstrapOrExit } from './bootstrap.mjs';

const scripts = dirname(fileURLToPath(import.meta.url));
const root = dirname(scripts);

await bootstrapOrExit({ build: false });
const writers = readdirSync(scripts).filter((name) => /^write-.*\.ts$/.test(name));
for (const name of writers) {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', join(scripts, name)], { cwd: root, stdio: 'inherit' });
  process.stderr.write(`${name}: ${status === 0 ? 'written' : `failed (exit ${status})`}\n`);
  if (status !== 0) process.exitCode = 1;
}
