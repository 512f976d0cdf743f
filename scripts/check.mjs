/**
 * `npm run check`: everything quick. Every gate runs, two at a time, and every fault is shown; exit 1 if one fails.
 * `--no-tests`: without the unit tests, where `npm test` has run them already.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bootstrapOrExit } from './bootstrap.mjs';
import { jestArguments } from './jest-arguments.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (...path) => join(root, 'node_modules', ...path);

/** Longest first. */
const GATES = [
  ['lint', [tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0']],
  ['types', [tool('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']],
  ['unit tests', jestArguments(['tests/unit/', '--silent', '--maxWorkers', '1'])],
  ['format', [tool('prettier', 'bin', 'prettier.cjs'), '--check', '.', '--log-level', 'warn']],
  ['dependency rules', [tool('dependency-cruiser', 'bin', 'dependency-cruise.mjs'), 'src', 'tests', '--config', '.dependency-cruiser.mjs']],
  ['unused code', [tool('knip', 'bin', 'knip.js'), '--no-progress']],
];

// No build: the gates read the sources, and the one that fails says so better.
await bootstrapOrExit({ build: false });
const queue = GATES.filter(([name]) => name !== 'unit tests' || !process.argv.includes('--no-tests'));
const failed = [];
await Promise.all([work(), work()]);
if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function work() {
  for (let gate = queue.shift(); gate !== undefined; gate = queue.shift()) await runGate(...gate);
}

async function runGate(name, args) {
  const started = Date.now();
  const { code, output } = await run(args);
  const time = `${((Date.now() - started) / 1000).toFixed(1)} s`;
  if (code === 0) {
    process.stdout.write(`ok    ${name} (${time})\n`);
  } else {
    failed.push(name);
    process.stdout.write(`FAIL  ${name} (${time}, exit ${code})\n${output.trimEnd()}\n\n`);
  }
}

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output: Buffer.concat(chunks).toString() }));
  });
}
