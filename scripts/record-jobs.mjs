/** `npm run record:jobs`: plays some real jobs on a system of their own and writes what was decided about them to tests/fixtures/jobs. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bootstrapOrExit } from './bootstrap.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await bootstrapOrExit({ build: false });
const main = join(root, 'tests', 'support', 'recordings', 'programs', 'record-jobs.ts');
const { status } = spawnSync(process.execPath, ['--import', 'tsx', main], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
