#!/usr/bin/env node
// A coder that does what the job's description says; a file a round where that says nothing.
import { play } from './script.mjs';

await play('coder', ({ jobId, round, conflict }) => [
  ...(conflict ? [{ resolve: true }] : [{ write: { path: `work/${jobId}-${round}.txt`, text: `round ${round}\n` } }]),
  { say: `wrote round ${round}` },
]);
