/** `npm run sizing -- [--coders 1,2,4] [--jobs 40] [--repositories 4] [--nodes 1|3] [--json]`: see bench/sizing.ts. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bootstrapOrExit } from './bootstrap.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
await bootstrapOrExit();
const args = ['--import', 'tsx', join(root, 'bench', 'sizing.ts'), ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
