#!/usr/bin/env node
// A coder that writes one file, in Node as most coding CLIs are.
import { writeFileSync } from 'node:fs';

const { MULTI_AGENT_JOB_ID: job } = process.env;
writeFileSync(`work-${job}.txt`, `by ${job}\n`);
process.stdout.write('wrote one file\n');
