import { readFile, writeFile } from 'node:fs/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Connection } from '../../shared/config/connection.ts';
import { writeRuntime, type Runtime } from '../../shared/config/runtime.ts';
import { withFileLock } from '../../shared/lifecycle/file-lock.ts';
import { connectNats } from '../../shared/messaging/connection.ts';
import { clearPort, embeddedServerPid, waitForEmbeddedServer } from '../../shared/nats-server/embedded.ts';
import { updateUsers } from '../../shared/nats-server/reload.ts';
import { pm2NameOf, specHash, toPm2App, type ProcessSpec } from '../../shared/pm2/app.ts';
import { createPm2, type Pm2, type Pm2Process } from '../../shared/pm2/client.ts';
import { observeAgents, type Observation } from './heartbeats.ts';
import { prepareServer, provision } from './server.ts';
import { prepare, type Plan, type UpOptions } from './prepare.ts';
import { waitUntilReady } from './ready.ts';

/** What `up` did. */
export interface UpOutcome {
  readonly connection: Connection;
  readonly agents: readonly string[];
  /** Ids of processes that were started, or started anew. */
  readonly started: readonly string[];
  readonly stopped: readonly string[];
}

/**
 * Brings the system to what the configuration asks for, under PM2, and returns once the agents' heartbeats say ready. Safe to repeat: what
 * runs already and has not changed is left alone; what PM2's death left behind is put right.
 *
 * @throws UnreachableError `foreign_server`, `nats_server_missing`, `nats_unreachable`, `daemons_not_ready`, `locked`.
 */
export async function up(options: UpOptions): Promise<UpOutcome> {
  const plan = await prepare(options);
  return withFileLock(plan.paths.upLock, () => bringUp(plan, options));
}

async function bringUp(plan: Plan, options: UpOptions): Promise<UpOutcome> {
  const { paths, connection } = plan;
  const pm2 = createPm2({ home: paths.home, env: options.env });
  const running = await pm2.list();
  await writeProcesses(plan);
  const natsStarted = plan.nats === undefined ? [] : await ensureServer(plan.nats, plan, pm2, running, options);
  await provision(plan, options);
  const nc = await connectNats({ ...connection, name: 'multi-agent up' });
  try {
    const changes = await agentChanges(plan, running, nc, options.force === true);
    await pm2.remove(changes.remove);
    await writeRuntime(paths, runtimeOf(plan, running));
    if (changes.start.length > 0) options.log?.(`starting ${changes.start.join(', ')}`);
    await pm2.start(changes.start.map((id) => pm2NameOf(paths.home, id)));
    await waitUntilReady(nc, plan, options.signal);
    await writeRuntime(paths, runtimeOf(plan, await pm2.list()));
    const agents = plan.agents.map(({ id }) => id);
    return { connection, agents, started: [...natsStarted, ...changes.start], stopped: changes.superfluous };
  } finally {
    await nc.close();
  }
}

/** Leaves a server that runs under PM2 as it should alone; ends an orphan, whose PM2 died, and starts it under PM2 again. */
async function ensureServer(
  spec: ProcessSpec,
  plan: Plan,
  pm2: Pm2,
  running: readonly Pm2Process[],
  options: UpOptions,
): Promise<string[]> {
  const { paths } = plan;
  const known = running.find(({ name }) => name === pm2NameOf(paths.home, spec.id));
  const pid = await embeddedServerPid(paths);
  if (known?.spec === specHash(spec) && known.pid !== undefined && known.pid === pid) {
    await waitForEmbeddedServer(paths, plan.port);
    await updateUsers(
      paths,
      plan.port,
      plan.agents.map(({ id }) => id),
    );
    return [];
  }
  if (known !== undefined) await pm2.remove([known.name]);
  await clearPort(paths, plan.port);
  options.log?.(`starting nats-server on 127.0.0.1:${String(plan.port)}`);
  await prepareServer(plan);
  await pm2.start([pm2NameOf(paths.home, spec.id)]);
  await waitForEmbeddedServer(paths, plan.port);
  return [spec.id];
}

interface AgentChanges {
  /** PM2 names. */
  readonly remove: readonly string[];
  /** Ids. */
  readonly start: readonly string[];
  /** Ids of agents no longer wanted. */
  readonly superfluous: readonly string[];
}

/** What to start: the new, the changed, and what PM2 calls online but does not beat, or only drains. */
async function agentChanges(plan: Plan, running: readonly Pm2Process[], nc: NatsConnection, force: boolean): Promise<AgentChanges> {
  const prefix = pm2NameOf(plan.paths.home, '');
  const byId = new Map(running.map((app) => [app.name.slice(prefix.length), app]));
  const same = plan.agents.filter((spec) => !force && byId.get(spec.id)?.spec === specHash(spec) && byId.get(spec.id)?.pid !== undefined);
  const working = new Set(await workingOf(same, nc));
  const start = plan.agents.map(({ id }) => id).filter((id) => !working.has(id));
  const wanted = new Set(['nats', ...plan.agents.map(({ id }) => id)]);
  const superfluous = [...byId.keys()].filter((id) => !wanted.has(id) || (id === 'nats' && plan.nats === undefined));
  const remove = [...superfluous, ...start.filter((id) => byId.has(id))].map((id) => `${prefix}${id}`);
  return { remove, start, superfluous };
}

/** Those of `specs` whose agents beat and take work. Others that beat do not count: theirs is an outdated spec. */
async function workingOf(specs: readonly ProcessSpec[], nc: NatsConnection): Promise<string[]> {
  if (specs.length === 0) return [];
  const ids = new Set(specs.map(({ id }) => id));
  const ours = (seen: readonly Observation[]): Observation[] => seen.filter(({ agentId }) => ids.has(agentId));
  const observations = await observeAgents(nc, { expected: [...ids], until: (seen) => ours(seen).every(({ alive }) => alive) });
  return ours(observations).flatMap(({ agentId, alive, heartbeat }) => (alive && heartbeat?.state !== 'draining' ? agentId : []));
}

async function writeProcesses({ paths, nats, agents }: Plan): Promise<void> {
  const specs = nats === undefined ? agents : [nats, ...agents];
  const content = `${JSON.stringify({ apps: specs.map((spec) => toPm2App(paths.home, spec)) }, undefined, 2)}\n`;
  if ((await readFile(paths.processesFile, 'utf8').catch(() => '')) !== content)
    await writeFile(paths.processesFile, content, { mode: 0o600 });
}

function runtimeOf({ paths, connection, nats, agents }: Plan, running: readonly Pm2Process[]): Runtime {
  const ids = [...(nats === undefined ? [] : [nats.id]), ...agents.map(({ id }) => id)];
  const names = Object.fromEntries(ids.map((id) => [id, pm2NameOf(paths.home, id)]));
  const pids = running.flatMap(({ name, pid }) =>
    pid === undefined ? [] : [[name.slice(pm2NameOf(paths.home, '').length), pid] as const],
  );
  const { url, embedded, nkeyFile, credsFile, tls } = connection;
  const files = Object.fromEntries(Object.entries({ nkeyFile, credsFile, ...tls }).filter(([, value]) => value !== undefined));
  return { url, embedded, ...files, supervisor: 'pm2', agents: agents.map(({ id }) => id), names, pids: Object.fromEntries(pids) };
}
