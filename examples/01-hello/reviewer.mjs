#!/usr/bin/env node
// A reviewer: what it judges is in the JSON file that MULTI_AGENT_CONTEXT names; its last line on stdout is the verdict.
import { readFileSync } from 'node:fs';

const { feature, diff } = JSON.parse(readFileSync(process.env.MULTI_AGENT_CONTEXT, 'utf8'));
const isTold = diff.includes(feature.title);
console.log(isTold ? 'the title is there' : 'the title is missing');
console.log(
  JSON.stringify(
    isTold
      ? { decision: 'APPROVE', summary: 'It says hello, and what for.' }
      : {
          decision: 'REQUEST_CHANGES',
          summary: 'Hello to what?',
          comments: [{ path: 'HELLO.txt', line: 1, severity: 'error', body: `Say what it is about: "${feature.title}".` }],
        },
  ),
);
