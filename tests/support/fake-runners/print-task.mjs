#!/usr/bin/env node
// Prints what it was given: its environment, its working directory, its stdin and its context, as one line of JSON.
import { readFileSync, readdirSync, statSync } from 'node:fs';

const { env } = process;
const modeOf = (path) => (statSync(path).mode & 0o777).toString(8);
console.log(
  JSON.stringify({
    env,
    cwd: process.cwd(),
    stdin: readFileSync(0, 'utf8'),
    context: JSON.parse(readFileSync(env.MULTI_AGENT_CONTEXT, 'utf8')),
    contextMode: modeOf(env.MULTI_AGENT_CONTEXT),
    homeFiles: readdirSync(env.HOME).length,
    tmpMode: modeOf(env.TMPDIR),
  }),
);
