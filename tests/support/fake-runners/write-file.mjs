#!/usr/bin/env node
// A coder: writes the file named by its first argument with what its second one says, and says so.
import { writeFileSync } from 'node:fs';

const [, , path = 'written.txt', content = 'written\n'] = process.argv;
writeFileSync(path, content);
console.log('thinking');
console.log(`wrote ${path}`);
