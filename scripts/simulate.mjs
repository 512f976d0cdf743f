/**
 * `npm run simulate -- --seeds 10000 --seed 1`: lives that many lives of the state machine and the repo-manager in a simulated world
 * (tests/support/simulation). Without a seed one is made from the clock; the one that fails is printed, and replays.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bootstrapOrExit } from './bootstrap.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await bootstrapOrExit({ build: false });
const main = join(root, 'tests', 'support', 'simulation', 'programs', 'simulate.ts');
const { status } = spawnSync(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
