/**
 * `npm run bench`: measures the product as it is built, and writes `docs/benchmarks.json` and `docs/benchmarks.md`.
 *
 *   --quick      fewer rounds: under 10 minutes
 *   --only a,c   some of the benchmarks
 *   --json       nothing on stdout but `{ results, skipped }`, and no file is written
 *
 * Exit 0 when everything ran, whether or not a goal is met; 1 when a benchmark failed.
 */
import { parseArgs } from 'node:util';

import { bootstrapOrExit } from './bootstrap.mjs';

const { quick, json, only } = options();
const say = (line) => process.stderr.write(`${line}\n`);
await bootstrapOrExit();
const { benchmarks } = await import('../bench/benchmarks.mjs');
const { describeMachine, loadPerCore } = await import('../bench/harness/machine.mjs');
const { closeWhenInterrupted } = await import('../bench/harness/scope.mjs');
const { Skipped } = await import('../bench/harness/skip.mjs');
const { writeReport } = await import('../bench/harness/report.mjs');

const isInterrupted = closeWhenInterrupted();
const chosen = benchmarks.filter(({ id }) => only === undefined || only.split(',').includes(id));
const run = {
  at: new Date().toISOString(),
  quick,
  machine: await describeMachine(),
  loadPerCore: {},
  results: [],
  skipped: [],
  failed: [],
};
for (const benchmark of chosen) if (!isInterrupted()) await measure(benchmark);
if (isInterrupted()) await new Promise(() => undefined);
if (json) {
  const results = run.results.map(({ id, title, figure, unit, goal, met }) => ({ id, title, figure, unit, goal, met }));
  process.stdout.write(`${JSON.stringify({ results, skipped: run.skipped })}\n`);
} else {
  await writeReport(benchmarks, run);
}

async function measure({ id, title, run: measureIt }) {
  say(`(${id}) ${title} ...`);
  const started = performance.now();
  try {
    const results = await measureIt({ quick, say, skip: (what, why) => run.skipped.push({ id: what, why }) });
    run.results.push(...results);
    for (const result of results) say(lineOf(result));
  } catch (error) {
    if (isInterrupted()) return;
    const isSkipped = error instanceof Skipped;
    say(isSkipped ? `  skipped: ${error.message}` : `  failed: ${error.stack}`);
    run.skipped.push({ id, why: isSkipped ? error.message : `failed: ${error.message}` });
    if (isSkipped) return;
    run.failed.push(id);
    process.exitCode = 1;
  }
  run.loadPerCore[id] = loadPerCore();
  say(`  ${((performance.now() - started) / 1_000).toFixed(0)} s`);
}

function lineOf({ title, figure, unit, goal, met, detail }) {
  return `  ${met ? '✔' : '✘'} ${title}: ${String(figure)} ${unit} (goal ${goal}) ${JSON.stringify(detail ?? {})}`;
}

function options() {
  try {
    return parseArgs({
      options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string' } },
    }).values;
  } catch (error) {
    process.stderr.write(`${error.message}\nusage: npm run bench [-- --quick] [--json] [--only a,c]\n`);
    process.exit(2);
  }
}
