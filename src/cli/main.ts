#!/usr/bin/env node
import { createProcessContext, flushed } from './process-context.ts';
import { runCli } from './run-cli.ts';

const exitCode = await runCli(process.argv.slice(2), createProcessContext(process));
await flushed(process);
// Something a command left behind (a socket that is slow to close) must not keep it from ending.
process.exit(exitCode);
