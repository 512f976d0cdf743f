import { VERSION } from '../../shared/config/version.ts';
import { runRole } from '../base/daemon.ts';
import { stopWithin, workingEvery } from '../base/timing.ts';
import { startRepoManager } from './repo-manager.ts';
import { wireRepoManager } from './wiring.ts';

await runRole('repo-manager', async (daemon) => {
  const running = await startRepoManager({
    nc: daemon.nc,
    context: await wireRepoManager(daemon),
    version: VERSION,
    topology: { replicas: daemon.config.natsReplicas },
    workingEveryMs: workingEvery(daemon.config.ackWaitMs),
  });
  return { closed: running.closed, stop: (_reason, deadlineMs) => stopWithin(deadlineMs, (deadline) => running.stop(deadline)) };
});
