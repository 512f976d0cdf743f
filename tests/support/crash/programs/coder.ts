import { runRole } from '../../../../src/agents/base/daemon.ts';
import { startTaskAgent } from '../../../../src/agents/base/task-agent.ts';
import { createCoder } from '../../../../src/agents/coder/coder.ts';
import { createHooks, FOLDER_VARIABLE } from '../armed-point.ts';
import { watchWorker } from '../ports.ts';
import { watchConnection } from '../wire.ts';

// As src/agents/coder/main.ts, with hooks in between.
await runRole('coder', (daemon) => {
  const hooks = createHooks(process.env[FOLDER_VARIABLE] ?? '', 'coder');
  watchConnection(daemon.nc, hooks);
  const runner = { kind: 'command', command: daemon.config.coderCommand } as const;
  return startTaskAgent(daemon, runner, (worker) => createCoder(watchWorker(worker, hooks)));
});
