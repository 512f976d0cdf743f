#!/usr/bin/env node
// Reviews with the coder's own tool: `node reviewer.mjs <prettier.cjs>`. It runs in a checked-out workspace of the change.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const [, , prettier] = process.argv;
const { diff } = JSON.parse(readFileSync(process.env.MULTI_AGENT_CONTEXT, 'utf8'));
const changed = [...diff.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, path]) => path).filter((path) => existsSync(path));
const { status, stderr } = spawnSync(process.execPath, [prettier, '--list-different', ...changed], { encoding: 'utf8' });
if (status === null || status > 1) {
  // Not a verdict but a failure: the exit status says so.
  process.stderr.write(stderr);
  process.exit(1);
}
const isGood = status === 0 && changed.length > 0;
const summary = isGood ? `prettier finds nothing to change in ${changed.join(', ')}.` : 'prettier would write it otherwise.';
console.log(JSON.stringify({ decision: isGood ? 'APPROVE' : 'REQUEST_CHANGES', summary }));
