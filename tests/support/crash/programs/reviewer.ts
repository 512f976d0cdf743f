import { runRole } from '../../../../src/agents/base/daemon.ts';
import { startTaskAgent } from '../../../../src/agents/base/task-agent.ts';
import { createReviewer } from '../../../../src/agents/reviewer/reviewer.ts';
import { createHooks, FOLDER_VARIABLE } from '../armed-point.ts';
import { watchWorker } from '../ports.ts';
import { watchConnection } from '../wire.ts';

// As src/agents/reviewer/main.ts, with hooks in between.
await runRole('reviewer', (daemon) => {
  const hooks = createHooks(process.env[FOLDER_VARIABLE] ?? '', 'reviewer');
  watchConnection(daemon.nc, hooks);
  const runner = { kind: 'command', command: daemon.config.reviewerCommand } as const;
  return startTaskAgent(daemon, runner, (worker) => createReviewer(watchWorker(worker, hooks)));
});
