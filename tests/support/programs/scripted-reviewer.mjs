#!/usr/bin/env node
// A reviewer that gives the verdicts that the job's description says; it approves where that says nothing.
import { play } from './script.mjs';

await play('reviewer', () => [{ verdict: { decision: 'APPROVE', summary: 'fine' } }]);
