#!/usr/bin/env node
// A reviewer that finds nothing wrong, in Node as most coding CLIs are.
process.stdout.write('{"decision":"APPROVE","summary":"fine","comments":[]}\n');
