/**
 * `npm run fuzz`: the fuzz ring at its whole size (20,000 malformed messages, 10,000 hostile names, 2,000 URLs, 1,500 bundles); `npm test`
 * runs a part of it. Further arguments go to jest. A seed is made from the clock and printed; `FUZZ_SEED` sets it.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const seed = process.env['FUZZ_SEED'] ?? String(Math.trunc(Date.now() / 1_000) % 1_000_000_000);

process.stderr.write(`FUZZ_SEED=${seed}\n`);
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), 'tests/fuzz', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FUZZ_SIZE: 'whole', FUZZ_SEED: seed },
});
process.exitCode = status ?? 1;
