import type { NatsConnection } from '@nats-io/transport-node';
import type { Connection } from '../../shared/config/connection.ts';
import { homePaths, type HomePaths } from '../../shared/config/home.ts';
import { readRuntime } from '../../shared/config/runtime.ts';
import { messageOf, MultiAgentError } from '../../shared/errors/errors.ts';
import { embeddedServerPid } from '../../shared/nats-server/embedded.ts';
import { observeAgents, type Observation } from './heartbeats.ts';

/** One agent, as `status` prints it. */
export interface AgentStatus {
  readonly id: string;
  readonly role: string;
  /** The operating system's; null when nothing is known of it. */
  readonly pid: number | null;
  /** `starting`, `idle`, `busy`, `draining`, or `silent` when there is no heartbeat at all. */
  readonly state: string;
  readonly healthy: boolean;
  readonly currentTask?: string;
  readonly tasksProcessed: number;
  readonly tasksFailed: number;
  readonly rssBytes: number;
  /** ISO 8601; null when nothing is known of it. */
  readonly startedAt: string | null;
  readonly runner?: string;
}

/** Where the system stands. `healthy`: NATS answers, and every agent that belongs to it beats. */
export interface SystemStatus {
  readonly healthy: boolean;
  readonly nats: {
    readonly url: string;
    readonly connected: boolean;
    readonly version: string | null;
    readonly embedded: boolean;
    readonly pid?: number;
  };
  readonly agents: readonly AgentStatus[];
  /** Why NATS could not be asked. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface StatusOptions {
  readonly home: string;
  readonly connection: Connection;
  /** @throws UnreachableError when there is no server. */
  readonly connect: () => Promise<NatsConnection>;
}

const ROLES = ['repo-manager', 'coder', 'reviewer'] as const;

/** Asks NATS and watches the heartbeats; takes about a second, up to 3.5 s when an agent is silent. Never throws for a server that is down. */
export async function readStatus({ home, connection, connect }: StatusOptions): Promise<SystemStatus> {
  const paths = homePaths(home);
  const runtime = await readRuntime(paths);
  const expected = runtime?.url === connection.url ? runtime.agents : [];
  const nats = { url: connection.url, embedded: connection.embedded, ...(await embeddedPid(paths, connection)) };
  try {
    const nc = await connect();
    // Whoever else has a beat is waited for as well: it may be an agent of another machine.
    const observations = await observeAgents(nc, { expected });
    const agents = belonging(observations, expected).map(statusOf);
    return { healthy: isHealthy(agents), nats: { ...nats, connected: true, version: nc.info?.version ?? null }, agents };
  } catch (error) {
    const code = error instanceof MultiAgentError ? error.code : 'unexpected';
    return {
      healthy: false,
      nats: { ...nats, connected: code === 'not_provisioned', version: null },
      agents: expected.map((agentId) => statusOf({ agentId, alive: false, heartbeat: undefined })),
      error: { code, message: messageOf(error) },
    };
  }
}

/** `degraded`: something is silent, but each role has an agent that beats. */
export function healthOf(status: SystemStatus): 'healthy' | 'degraded' | 'unhealthy' {
  if (status.healthy) return 'healthy';
  const served = ROLES.every((role) => status.agents.some((agent) => agent.role === role && agent.healthy));
  return status.nats.connected && served ? 'degraded' : 'unhealthy';
}

/** Where it is known which agents belong to the system, the last beat of one that was stopped lately says nothing. */
function belonging(seen: readonly Observation[], expected: readonly string[]): Observation[] {
  return seen.filter(({ agentId, alive }) => alive || expected.length === 0 || expected.includes(agentId));
}

function isHealthy(agents: readonly AgentStatus[]): boolean {
  return agents.every((agent) => agent.healthy) && ROLES.every((role) => agents.some((agent) => agent.role === role));
}

async function embeddedPid(paths: HomePaths, connection: Connection): Promise<{ pid?: number }> {
  const pid = connection.embedded ? await embeddedServerPid(paths) : undefined;
  return pid === undefined ? {} : { pid };
}

function statusOf({ agentId, alive, heartbeat }: Observation): AgentStatus {
  return {
    id: agentId,
    role: heartbeat?.role ?? agentId.replace(/-\d+$/, ''),
    pid: heartbeat?.pid ?? null,
    state: heartbeat?.state ?? 'silent',
    healthy: alive,
    ...(heartbeat?.task === undefined ? {} : { currentTask: heartbeat.task }),
    tasksProcessed: heartbeat?.counters.tasksProcessed ?? 0,
    tasksFailed: heartbeat?.counters.tasksFailed ?? 0,
    rssBytes: heartbeat?.rssBytes ?? 0,
    startedAt: heartbeat === undefined ? null : new Date(heartbeat.startedAt).toISOString(),
    ...(heartbeat?.runner === undefined ? {} : { runner: heartbeat.runner }),
  };
}
