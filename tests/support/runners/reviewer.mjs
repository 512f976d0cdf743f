#!/usr/bin/env node
// Approves; with `changes <n>` it asks for changes in the first n rounds. A feature whose description is JSON with a `verdict` gets that one.
import { readFileSync } from 'node:fs';

const [, , mode, count] = process.argv;
const context = JSON.parse(readFileSync(process.env.MULTI_AGENT_CONTEXT, 'utf8'));
const refuse = mode === 'changes' && context.reviews.length < Number(count);
const path = context.diff.match(/^\+\+\+ b\/(.*)$/m)?.[1] ?? 'README.md';
const script = context.feature.description.startsWith('{') ? JSON.parse(context.feature.description) : {};
console.log(
  JSON.stringify({
    decision: refuse ? 'REQUEST_CHANGES' : 'APPROVE',
    summary: refuse ? 'not yet' : 'fine',
    ...script.verdict,
    comments: refuse ? [{ path, line: 1, severity: 'error', body: 'do better' }] : [],
  }),
);
