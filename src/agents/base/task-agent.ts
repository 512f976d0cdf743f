import type { DaemonHandle } from '../../shared/lifecycle/daemon.ts';
import { openBundleStore } from '../../shared/messaging/bundle-store.ts';
import { createRunner, type RunnerConfig } from '../../shared/runner/registry.ts';
import { VERSION } from '../../shared/config/version.ts';
import { type RunningAgent, startAgent } from './agent.ts';
import type { DaemonContext } from './daemon.ts';
import type { TaskWorker } from './task-worker.ts';
import type { WorkerContext } from './worker-context.ts';

/** The longest a timer can wait; a drain without a deadline has none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Three renewals to a lease: one may be lost. */
const RENEWALS_PER_LEASE = 3.3;

/** Starts the agent of a role that takes tasks. */
export async function startTaskAgent(
  context: DaemonContext,
  runnerConfig: RunnerConfig,
  createWorker: (worker: WorkerContext) => TaskWorker,
): Promise<DaemonHandle> {
  const { nc, config, agentId, incarnation, log } = context;
  const worker = createWorker({
    nc,
    bundles: await openBundleStore(nc),
    home: config.home,
    runner: createRunner({ ...runnerConfig, system: config.home }),
    agentId,
    incarnation,
    stallMs: config.stallMs,
    environment: process.env,
  });
  const agent = await startAgent({
    nc,
    agentId,
    incarnation,
    worker,
    version: VERSION,
    now: () => Date.now(),
    log,
    workingEveryMs: Math.round(config.ackWaitMs / RENEWALS_PER_LEASE),
  });
  return handleOf(agent);
}

/** A second, shorter deadline shortens the first. */
function handleOf(agent: RunningAgent): DaemonHandle {
  const deadline = new AbortController();
  return {
    closed: agent.closed,
    stop: async (_reason, deadlineMs) => {
      const timer =
        deadlineMs < LONGEST_TIMER_MS
          ? setTimeout(() => {
              deadline.abort();
            }, deadlineMs)
          : undefined;
      await agent.stop(deadline.signal);
      clearTimeout(timer);
    },
  };
}
