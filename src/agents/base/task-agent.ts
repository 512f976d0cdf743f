import type { DaemonHandle } from '../../shared/lifecycle/daemon.ts';
import { openBundleStore } from '../../shared/messaging/bundle-store.ts';
import { environmentToGive } from '../../shared/process/environment.ts';
import type { Sandbox } from '../../shared/process/sandbox/sandbox.ts';
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
 * Starts the agent of a role that takes tasks. One that has no runner, or no sandbox for it, takes none: its jobs wait, and `status` says for what,
 * which is better than failing a whole backlog for a variable that was forgotten.
 */
export async function startTaskAgent(
  context: DaemonContext,
  runnerConfig: Omit<RunnerConfig, 'kind' | 'confinement'> & { readonly kind: string | undefined },
  createWorker: (worker: WorkerContext) => TaskWorker,
): Promise<DaemonHandle> {
  const { nc, config, agentId, incarnation, sandbox, log } = context;
  const environment = environmentToGive(config.passedEnvironment);
  const confinement = { sandbox, home: config.home, hosts: config.allowedHosts };
  const { kind, ...settings } = runnerConfig;
  const runner =
    kind === undefined
      ? undefined
      : createRunner({
          ...settings,
          kind,
          ...programOf(kind, config),
          system: config.home,
          from: environment,
          confinement: { ...confinement, models: config.modelEnvironment },
        });
  const lacks = whatLacks(runner, sandbox);
  const worker = createWorker({
    nc,
    bundles: await openBundleStore(nc, agentId),
    home: config.home,
    runner: lacks === undefined && runner !== undefined ? runner : standIn(lacks ?? ''),
    confinement,
    agentId,
    incarnation,
    stallMs: config.stallMs,
    environment,
    redact: createRedactor(config.secrets).redact,
  });
  if (lacks !== undefined) log.warn({ role: worker.role, lacks }, 'no task is taken');
  const agent = await startAgent({
    nc,
    agentId,
    incarnation,
    worker,
    version: VERSION,
    now: () => Date.now(),
    log,
    takesNoTasks: lacks !== undefined,
    topology: { replicas: config.natsReplicas },
    workingEveryMs: workingEvery(config.ackWaitMs),
  });
  return { closed: agent.closed, stop: (_reason, deadlineMs) => stopWithin(deadlineMs, (deadline) => agent.stop(deadline)) };
}

/** Why it can't take tasks: its jobs wait until somebody puts that right. */
function whatLacks(runner: Runner | undefined, { refusal }: Sandbox): string | undefined {
  if (runner === undefined) return 'set CODER_COMMAND and REVIEWER_COMMAND, then "multi-agent up"';
  return runner.startsPrograms ? refusal : undefined;
}

/** Never asked to run. */
function standIn(lacks: string): Runner {
  return {
    kind: 'none',
    description: `none: ${lacks}`,
    startsPrograms: false,
    needsWorkspace: () => false,
    run: () => Promise.reject(new TerminalError('runner_not_configured', lacks)),
  };
}

/** Where a coding CLI is, as the operator says. */
function programOf(kind: string, { claudeProgram }: DaemonContext['config']): { program?: string } {
  return kind === 'claude' ? { program: claudeProgram } : {};
}
