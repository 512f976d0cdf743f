import { runRole } from '../../../../src/agents/base/daemon.ts';
import { stopWithin, workingEvery } from '../../../../src/agents/base/timing.ts';
import { startRepoManager } from '../../../../src/agents/repo-manager/repo-manager.ts';
import { wireRepoManager } from '../../../../src/agents/repo-manager/wiring.ts';
import { createHooks, FOLDER_VARIABLE } from '../armed-point.ts';
import { sabotage } from '../sabotage.ts';
import { watchRepoManager } from '../ports.ts';
import { watchConnection } from '../wire.ts';

/** A sweep is due every minute in earnest; the tests wait for what only it repairs. */
const SWEEP_EVERY_MS = 1_000;

// As src/agents/repo-manager/main.ts, with hooks in between.
await runRole('repo-manager', async (daemon) => {
  const hooks = createHooks(process.env[FOLDER_VARIABLE] ?? '', 'repo-manager');
  watchConnection(daemon.nc, hooks);
  const context = watchRepoManager(sabotage(await wireRepoManager(daemon)), hooks);
  const running = await startRepoManager({
    nc: daemon.nc,
    context,
    version: 'crash-test',
    sweepEveryMs: SWEEP_EVERY_MS,
    workingEveryMs: workingEvery(daemon.config.ackWaitMs),
  });
  return { closed: running.closed, stop: (_reason, deadlineMs) => stopWithin(deadlineMs, (deadline) => running.stop(deadline)) };
});
