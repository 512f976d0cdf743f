import { setTimeout as delay } from 'node:timers/promises';
import { homePaths, type HomePaths } from '../../shared/config/home.ts';
import type { Config, Environment } from '../../shared/config/load.ts';
import { resolveConnection } from '../../shared/config/connection.ts';
import { readRuntime, removeRuntime, type Runtime } from '../../shared/config/runtime.ts';
import { InterruptedError } from '../../shared/errors/errors.ts';
import { withFileLock } from '../../shared/lifecycle/file-lock.ts';
import { isAlive } from '../../shared/lifecycle/process-state.ts';
import { connectNats } from '../../shared/messaging/connection.ts';
import { embeddedServerPid, stopEmbeddedServer } from '../../shared/nats-server/embedded.ts';
import { pm2NameOf } from '../../shared/pm2/app.ts';
import { createPm2, type Pm2Process } from '../../shared/pm2/client.ts';
import { endMarkedProcesses } from '../../shared/process/end-processes.ts';
import { busyAgents } from './heartbeats.ts';
import { NATS_ID } from './plan.ts';

export interface DownOptions {
  readonly config: Config;
  readonly env: Environment;
  /** Wait for running tasks, however long they take. Default false: they get the drain time, then are handed back. */
  readonly drain?: boolean;
  readonly log?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Ends the home's daemons, the NATS server last, and nothing else: PM2 itself and its other apps stay. Safe to repeat; with nothing running
 * it does nothing. Gives the ids of what it ended.
 *
 * @throws InterruptedError when `signal` is aborted while draining; the daemons then stay as they are, draining.
 */
export async function down(options: DownOptions): Promise<string[]> {
  const paths = homePaths(options.config.home);
  return withFileLock(paths.upLock, async () => {
    const runtime = await readRuntime(paths);
    const ended = runtime?.supervisor === 'foreground' ? await endForeground(runtime, options) : await endUnderPm2(paths, options);
    const orphan = await embeddedServerPid(paths);
    await stopEmbeddedServer(paths);
    const agents = [...new Set([...(runtime?.agents ?? []), ...ended.filter((id) => id !== NATS_ID)])];
    // What a killed agent's runner left running would otherwise wait for the agent's next start.
    await Promise.all(agents.map((id) => endMarkedProcesses(`${id}:`, { system: paths.home })));
    await removeRuntime(paths);
    return orphan === undefined || ended.includes(NATS_ID) ? ended : [...ended, NATS_ID];
  });
}

async function endUnderPm2(paths: HomePaths, options: DownOptions): Promise<string[]> {
  const pm2 = createPm2({ home: paths.home, env: options.env });
  const running = await pm2.list();
  const natsName = pm2NameOf(paths.home, NATS_ID);
  const agents = running.filter(({ name }) => name !== natsName);
  if (options.drain === true) await drainAll(agents, options);
  await pm2.remove(agents.map(({ name }) => name));
  await pm2.remove(running.filter(({ name }) => name === natsName).map(({ name }) => name));
  return running.map(({ name }) => name.slice(pm2NameOf(paths.home, '').length));
}

/** SIGUSR2 makes an agent take no new work and finish what it has. */
async function drainAll(agents: readonly Pm2Process[], options: DownOptions): Promise<void> {
  const pids = agents.flatMap(({ pid }) => pid ?? []);
  if (pids.length === 0) return;
  for (const pid of pids) signalIfThere(pid, 'SIGUSR2');
  const nc = await connectNats({ ...(await resolveConnection(options)), name: 'multi-agent down' });
  try {
    let shown = '';
    for (;;) {
      const busy = await busyAgents(nc, pids);
      if (busy.length === 0) return;
      if (options.signal?.aborted === true)
        throw new InterruptedError('interrupted', 'interrupted; the agents go on draining. "multi-agent up" makes them work again');
      const waiting = busy.map(({ agentId, task }) => `${agentId} (${task ?? 'draining'})`).join(', ');
      if (waiting !== shown) options.log?.(`waiting for ${waiting}`);
      shown = waiting;
      await delay(250);
    }
  } finally {
    await nc.close();
  }
}

async function endForeground({ supervisorPid, agents, embedded }: Runtime, { drain, signal }: DownOptions): Promise<string[]> {
  if (supervisorPid === undefined || !(await isAlive(supervisorPid))) return [];
  signalIfThere(supervisorPid, drain === true ? 'SIGUSR2' : 'SIGTERM');
  while (await isAlive(supervisorPid)) {
    if (signal?.aborted === true) throw new InterruptedError('interrupted', 'interrupted; the system is still ending');
    await delay(50);
  }
  return [...agents, ...(embedded ? [NATS_ID] : [])];
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile, which is what was wanted.
  }
}
