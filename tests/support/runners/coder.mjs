#!/usr/bin/env node
// Writes `work/<round>.txt` and says so: the smallest coder that there is.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';

const { MULTI_AGENT_JOB_ID: job, MULTI_AGENT_ROUND: round } = process.env;
mkdirSync('work', { recursive: true });
writeFileSync(`work/${job}-${round}.txt`, `round ${round}\n`);
if (process.argv[2]) appendFileSync(process.argv[2], `${job} ${round}\n`);
console.log(`wrote work/${job}-${round}.txt`);
