#!/usr/bin/env node
// Prints 40 MB in lines of 80 bytes as fast as it is read, and then its last words.
import { writeSync } from 'node:fs';

const block = Buffer.from(`${'x'.repeat(79)}\n`.repeat(1024));
for (let written = 0; written < 40 * 1024 * 1024; written += block.length) writeAll(block);
writeAll(Buffer.from('that was all\n'));

function writeAll(bytes) {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
