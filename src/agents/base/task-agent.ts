import type { DaemonHandle } from '../../shared/lifecycle/daemon.ts';
import { openBundleStore } from '../../shared/messaging/bundle-store.ts';
import { environmentToGive } from '../../shared/process/environment.ts';
import { createRedactor } from '../../shared/telemetry/redact.ts';
import { createRunner, type RunnerConfig } from '../../shared/runner/registry.ts';
import type { Runner } from '../../shared/runner/runner.ts';
import { TerminalError } from '../../shared/errors/errors.ts';
import { VERSION } from '../../shared/config/version.ts';
import { startAgent } from './agent.ts';
import type { DaemonContext } from './daemon.ts';
import type { TaskWorker } from './task-worker.ts';
import { stopWithin, workingEvery } from './timing.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Starts the agent of a role that takes tasks. One that has no runner takes none: its jobs wait, and `status` says for what,
 * which is better than failing a whole backlog for a variable that was forgotten.
 */
export async function startTaskAgent(
  context: DaemonContext,
  runnerConfig: Omit<RunnerConfig, 'kind'> & { readonly kind: string | undefined },
  createWorker: (worker: WorkerContext) => TaskWorker,
): Promise<DaemonHandle> {
  const { nc, config, agentId, incarnation, log } = context;
  const { kind, ...settings } = runnerConfig;
  const environment = environmentToGive(config.passedEnvironment);
  const worker = createWorker({
    nc,
    bundles: await openBundleStore(nc, agentId),
    home: config.home,
    runner: kind === undefined ? NO_RUNNER : createRunner({ ...settings, kind, system: config.home, from: environment }),
    agentId,
    incarnation,
    stallMs: config.stallMs,
    environment,
    redact: createRedactor(config.secrets).redact,
  });
  if (kind === undefined) log.warn({ role: worker.role }, 'no runner is configured: no task is taken');
  const agent = await startAgent({
    nc,
    agentId,
    incarnation,
    worker,
    version: VERSION,
    now: () => Date.now(),
    log,
    takesNoTasks: kind === undefined,
    topology: { replicas: config.natsReplicas },
    workingEveryMs: workingEvery(config.ackWaitMs),
  });
  return { closed: agent.closed, stop: (_reason, deadlineMs) => stopWithin(deadlineMs, (deadline) => agent.stop(deadline)) };
}

/** Stands in where nothing is configured; never asked to run. */
const NO_RUNNER: Runner = {
  kind: 'none',
  description: 'none: set CODER_COMMAND and REVIEWER_COMMAND, then "multi-agent up"',
  needsWorkspace: () => false,
  run: () => Promise.reject(new TerminalError('runner_not_configured', 'No runner is configured.')),
};
