import { VERSION } from '../../shared/config/version.ts';
import { runRole } from '../base/daemon.ts';
import { startRepoManager } from './repo-manager.ts';
import { wireRepoManager } from './wiring.ts';

await runRole('repo-manager', async (daemon) => {
  const running = await startRepoManager({ context: await wireRepoManager(daemon), version: VERSION });
  return { closed: running.closed, stop: () => running.stop() };
});
