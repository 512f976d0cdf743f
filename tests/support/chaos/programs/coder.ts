import { runRole } from '../../../../src/agents/base/daemon.ts';
import { startTaskAgent } from '../../../../src/agents/base/task-agent.ts';
import { createCoder } from '../../../../src/agents/coder/coder.ts';
import { shiftClock } from '../shifted-clock.ts';

// As src/agents/coder/main.ts, with a clock that can be wrong.
shiftClock();
await runRole('coder', (daemon) => startTaskAgent(daemon, { kind: 'command', command: daemon.config.coderCommand }, createCoder));
