import { runRole } from '../../../../src/agents/base/daemon.ts';
import { startTaskAgent } from '../../../../src/agents/base/task-agent.ts';
import { createReviewer } from '../../../../src/agents/reviewer/reviewer.ts';
import { shiftClock } from '../shifted-clock.ts';

// As src/agents/reviewer/main.ts, with a clock that can be wrong.
shiftClock();
await runRole('reviewer', (daemon) => startTaskAgent(daemon, { kind: 'command', command: daemon.config.reviewerCommand }, createReviewer));
