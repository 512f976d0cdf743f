#!/usr/bin/env node
// A reviewer: gives the verdict named by its first argument, with the title from its context as the summary.
import { readFileSync } from 'node:fs';

const [, , decision = 'APPROVE'] = process.argv;
const { feature } = JSON.parse(readFileSync(process.env.MULTI_AGENT_CONTEXT, 'utf8'));
console.log('looking at the change');
console.log(JSON.stringify({ decision, summary: feature.title, comments: [], usage: { inputTokens: 7, outputTokens: 3, costUsd: 0.5 } }));
