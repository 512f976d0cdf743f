import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { asIdentity, resolveConnection } from '../../shared/config/connection.ts';
import { homeId } from '../../shared/config/home-id.ts';
import { ensureHome, type HomePaths, homePaths } from '../../shared/config/home.ts';
import type { Config } from '../../shared/config/load.ts';
import { loadDaemonConfig } from '../../shared/config/role-file.ts';
import { AgentId, type AgentRole } from '../../shared/domain/ids.ts';
import { sweepBegun, sweepWorkspaces } from '../../shared/git/sweep.ts';
import { type DaemonHandle, runDaemon } from '../../shared/lifecycle/daemon.ts';
import { connectNats } from '../../shared/messaging/connection.ts';
import { endMarkedProcesses } from '../../shared/process/end-processes.ts';
import { openSandbox } from '../../shared/process/sandbox/open-sandbox.ts';
import type { Sandbox } from '../../shared/process/sandbox/sandbox.ts';
import { sweepSessions } from '../../shared/runner/sessions.ts';
import { createLog, type Logger } from '../../shared/telemetry/log.ts';

/** What every daemon starts with. */
export interface DaemonContext {
  readonly nc: NatsConnection;
  readonly config: Config;
  readonly paths: HomePaths;
  readonly agentId: AgentId;
  readonly incarnation: string;
  /** Where code of repositories is run. */
  readonly sandbox: Sandbox;
  readonly log: Logger;
}

/**
 * The whole of a daemon's `main.ts`: configuration, log, connection, what an earlier incarnation left behind, then `start`.
 * Ends with the exit code; never returns before.
 */
export async function runRole(role: AgentRole, start: (context: DaemonContext) => Promise<DaemonHandle>): Promise<void> {
  const config = await loadDaemonConfig(role);
  const agentId = AgentId.parse(config.agentId ?? `${role}-1`);
  const { log } = await createLog({
    agentId,
    level: config.logLevel,
    secrets: config.secrets,
    file: homePaths(config.home).logFile(agentId),
  });
  await runDaemon({
    log,
    drainMs: config.drainMs,
    start: async () => {
      const paths = await ensureHome(config.home);
      await clearLeftovers(config.home, agentId, log);
      await sweepSessions(config.home, Date.now());
      const connection = await resolveConnection({ config });
      const [sandbox, nc] = await Promise.all([
        openSandbox({ home: config.home, agentId, unsafe: config.unsafeNoSandbox, readable: config.sandboxRead }),
        connectNats({ ...(await asIdentity(connection, agentId)), name: agentId, patience: 'forever' }),
      ]);
      if (!sandbox.isolates) log.warn({ sandbox: sandbox.description }, 'there is no sandbox');
      const context = { nc, config, paths, agentId, incarnation: `${await homeId(paths)}/${randomUUID()}`, sandbox, log };
      return closingConnection(nc, await start(context));
    },
  });
}

/** Processes and workspaces of an earlier incarnation: whatever they were about is done anew. */
async function clearLeftovers(home: string, agentId: string, log: Logger): Promise<void> {
  const processes = await endMarkedProcesses(`${agentId}:`, { system: home });
  const workspaces = await sweepWorkspaces(home, ({ owner }) => owner.agentId === agentId);
  const begun = await sweepBegun(home);
  if (processes.length + workspaces.length + begun.length > 0)
    log.warn({ processes, workspaces, begun }, 'cleared what an earlier incarnation left');
}

/** A connection that is gone for good ends the daemon: its supervisor starts a new one. */
function closingConnection(nc: NatsConnection, handle: DaemonHandle): DaemonHandle {
  const lost = nc.closed().then((error) => {
    if (error) throw error;
  });
  return {
    closed: Promise.race([handle.closed, lost]),
    stop: async (reason, deadlineMs) => {
      await handle.stop(reason, deadlineMs);
      await nc.drain();
    },
  };
}
