#!/usr/bin/env node
// A coder that does what the feature's description says, as JSON: `{ files, exit, waitFor, stamp, half, rounds, tries, link, costUsd,
// waitAgain }`. Without one it writes
// `work/<job>-<round>.txt`.
import { appendFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const { MULTI_AGENT_JOB_ID: job, MULTI_AGENT_ROUND: round, MULTI_AGENT_ATTEMPT: attempt, MULTI_AGENT_CONTEXT: contextFile } = process.env;
const context = JSON.parse(readFileSync(contextFile, 'utf8'));
const script = context.feature.description.startsWith('{') ? JSON.parse(context.feature.description) : {};
const tried = context.checks?.some(({ passed }) => !passed) ? 'again' : 'first';
const files = script.tries?.[tried] ??
  script.rounds?.[round]?.files ??
  script.files ?? { [`work/${job}-${round}.txt`]: `round ${round}\n` };

if (script.stamp) appendFileSync(script.stamp, `${round} ${attempt} ${existsSync('half.txt') ? 'half' : 'new'}\n`);
for (const { path, ours, theirs } of context.conflicts ?? []) {
  files[path] = [...new Set(`${theirs}${ours}`.split('\n').filter((line) => line !== ''))].map((line) => `${line}\n`).join('');
}
if (script.half) writeFileSync('half.txt', 'half of it\n');
if (script.waitAgain && tried === 'again') await until(script.waitAgain);
if (script.waitFor) await until(script.waitFor);
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(name), { recursive: true });
  writeFileSync(name, text);
}
if (script.link && !existsSync('link')) symlinkSync(script.link, 'link');
console.log(`wrote ${Object.keys(files).join(', ')}`);
if (script.costUsd) console.log(JSON.stringify({ summary: 'paid', usage: { costUsd: script.costUsd } }));
process.exitCode = script.exit ?? 0;

async function until(file) {
  while (!existsSync(file)) {
    await new Promise((resolve) => {
      const watcher = watch(dirname(file), resolve);
      setTimeout(() => resolve(watcher.close()), 50);
    });
  }
}
