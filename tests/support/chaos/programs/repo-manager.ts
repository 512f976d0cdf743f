import { runRole } from '../../../../src/agents/base/daemon.ts';
import { stopWithin, workingEvery } from '../../../../src/agents/base/timing.ts';
import { startRepoManager } from '../../../../src/agents/repo-manager/repo-manager.ts';
import { wireRepoManager } from '../../../../src/agents/repo-manager/wiring.ts';
import { faultyForge } from '../faulty-forge.ts';
import { naive } from '../naive.ts';
import { shiftClock } from '../shifted-clock.ts';

/** Once a minute in earnest: what only a sweep repairs would make every run a minute longer. */
const SWEEP_EVERY_MS = 3_000;
/** Two minutes in earnest; here a lease is 2 s, and a redelivery waits for half a minute at most. */
const STRANDED_AFTER_MS = 35_000;

// As src/agents/repo-manager/main.ts, with a clock that can be wrong, a forge that fails, and for the control the naive wiring.
shiftClock();
await runRole('repo-manager', async (daemon) => {
  const wired = naive(await wireRepoManager(daemon));
  const { local } = wired.forges;
  const running = await startRepoManager({
    nc: daemon.nc,
    context: { ...wired, forges: local ? { local: faultyForge(local) } : {} },
    version: 'chaos',
    sweepEveryMs: SWEEP_EVERY_MS,
    strandedAfterMs: STRANDED_AFTER_MS,
    workingEveryMs: workingEvery(daemon.config.ackWaitMs),
  });
  return { closed: running.closed, stop: (_reason, deadlineMs) => stopWithin(deadlineMs, (deadline) => running.stop(deadline)) };
});
