#!/usr/bin/env node
// A coder that runs the feature's description as a program of bash. Whether that fails is no matter: what it leaves is.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { feature } = JSON.parse(readFileSync(process.env.MULTI_AGENT_CONTEXT, 'utf8'));
spawnSync('/bin/bash', ['-c', feature.description], { stdio: 'inherit' });
