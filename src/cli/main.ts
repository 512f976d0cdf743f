#!/usr/bin/env node
import { createProcessContext } from './process-context.ts';
import { runCli } from './run-cli.ts';

const cli = createProcessContext(process);
const exitCode = await runCli(process.argv.slice(2), cli);
await cli.flushed();
// Something a command left behind (a socket that is slow to close) must not keep it from ending.
process.exit(exitCode);
