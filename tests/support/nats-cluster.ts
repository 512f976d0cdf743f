import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { seedFile } from '../../src/shared/config/seed-file.ts';
import { connectNats } from '../../src/shared/messaging/connection.ts';
import { leaveNode } from '../../src/shared/messaging/leave-node.ts';
import type { Identity } from '../../src/shared/messaging/permissions.ts';
import { renderAccounts } from '../../src/shared/nats-server/accounts.ts';
import { findOrFetchNatsServer } from '../../src/shared/nats-server/binary.ts';
import { ensureUsers } from '../../src/shared/nats-server/identities.ts';
import { BINARY_CACHE } from './nats-server.ts';
import { freePort } from './pm2-home.ts';
import { until } from './until.ts';
import { openWire, type Wire } from './wire.ts';

export interface ClusterNode {
  readonly name: string;
  readonly url: string;
  /** The URL of its monitoring (with `monitored: true`). */
  readonly monitor?: string;
  readonly pid: () => number;
  /** SIGKILL, and waits until it is gone; the store stays. */
  kill9(): Promise<void>;
  /** Starts it again on its ports and store, where it was killed. */
  revive(): Promise<void>;
  /** SIGSTOP: its connections stay open, and nobody answers. */
  pause(): void;
  /** SIGCONT */
  goOn(): void;
  /** Cuts it off from the other nodes, both ways: packets are swallowed, connections stay open. Clients still reach it. */
  isolate(): void;
  /** Connections to and from the other nodes are made anew, and let through. */
  rejoin(): void;
}

/** Three nodes with JetStream on one machine, each route between two of them by way of a wire that can be cut. */
export interface NatsCluster {
  /** The URLs of all nodes, separated by commas: a value of NATS_URL. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** How one of the `users` connects. */
  readonly as: (identity: Identity) => { readonly url: string; readonly nkeyFile: string; readonly identity: Identity };
  /** Where the nodes write what they have to say. */
  readonly logs: readonly string[];
  node(name: string): ClusterNode;
  /** The node that leads a stream. @throws when there is none within a minute */
  leaderOf(nc: NatsConnection, stream: string): Promise<ClusterNode>;
  stop(): Promise<void>;
}

export interface NatsClusterOptions {
  /** How many nodes. Default 3. */
  readonly nodes?: number;
  /** The address that clients connect to. Default 127.0.0.1. */
  readonly host?: string;
  /** Open a port for monitoring on each node. Default false. */
  readonly monitored?: boolean;
  /** Only these, each with its own permissions; the provisioner is always there. Default: anyone may connect. */
  readonly users?: readonly Identity[];
}

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 60_000;

export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const { path: binary } = await findOrFetchNatsServer({ home: BINARY_CACHE });
  const folder = await mkdtemp(join(tmpdir(), 'ma-cluster-'));
  const count = options.nodes ?? 3;
  const accounts = options.users && renderAccounts(await ensureUsers(folder, ['provisioner', ...options.users]));
  const places: Place[] = [];
  for (let n = 1; n <= count; n++) places.push(await makePlace(folder, n, options));
  const wires = await openWires(places);
  const nodes: ClusterNode[] = [];
  for (const place of places) nodes.push(await startNode(binary, place, wires, accounts));
  const url = nodes.map((node) => node.url).join(',');
  await waitForMetaLeader(url, accounts === undefined ? undefined : seedFile(folder, 'provisioner'));
  const nodeOf = (name: string): ClusterNode => {
    const found = nodes.find((node) => node.name === name);
    if (!found) throw new Error(`no node ${name}`);
    return found;
  };
  return {
    url,
    nodes,
    as: (identity) => ({ url, nkeyFile: seedFile(folder, identity), identity }),
    logs: places.map(logOf),
    node: nodeOf,
    leaderOf: async (nc, stream) => nodeOf(await leaderOf(nc, stream)),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.kill9()));
      await Promise.all(wires.map(({ wire }) => wire.close()));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly routePort: number;
  readonly monitorPort: number | undefined;
}

/** What one node dials to reach another. */
interface RouteWire {
  readonly from: string;
  readonly to: string;
  readonly wire: Wire;
}

async function makePlace(folder: string, n: number, { host = HOST, monitored = false }: NatsClusterOptions): Promise<Place> {
  const monitorPort = monitored ? await freePort() : undefined;
  return { name: `node-${String(n)}`, folder, host, port: await freePort(), routePort: await freePort(), monitorPort };
}

async function openWires(places: readonly Place[]): Promise<RouteWire[]> {
  const wires: RouteWire[] = [];
  for (const from of places)
    for (const to of places) if (from !== to) wires.push({ from: from.name, to: to.name, wire: await openWire(to.routePort) });
  return wires;
}

async function startNode(binary: string, place: Place, wires: readonly RouteWire[], accounts?: string): Promise<ClusterNode> {
  const routes = wires.filter(({ from }) => from === place.name).map(({ wire }) => `"nats://${HOST}:${String(wire.port)}"`);
  const touching = wires.filter(({ from, to }) => from === place.name || to === place.name);
  const config = join(place.folder, `${place.name}.conf`);
  await writeFile(config, configOf(place, routes, accounts));
  const launch = (): ChildProcess => spawn(binary, ['-c', config, '-l', logOf(place)], { stdio: 'ignore', env: {} });
  let child = launch();
  return {
    name: place.name,
    url: `nats://${place.host}:${String(place.port)}`,
    ...(place.monitorPort === undefined ? {} : { monitor: `http://${HOST}:${String(place.monitorPort)}` }),
    pid: () => child.pid ?? 0,
    kill9: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    revive: async () => {
      child = launch();
      await once(child, 'spawn');
    },
    pause: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    isolate: () => {
      for (const { wire } of touching) wire.swallow();
    },
    rejoin: () => {
      for (const { wire } of touching) wire.restore();
    },
  };
}

function configOf(place: Place, routes: readonly string[], accounts: string | undefined): string {
  const { name, folder, host, port, routePort, monitorPort } = place;
  return [
    `server_name: ${name}`,
    `listen: "${host}:${String(port)}"`,
    `jetstream { store_dir: "${join(folder, name)}", max_file_store: 4GB }`,
    'max_payload: 8MB',
    ...(monitorPort === undefined ? [] : [`http: "${HOST}:${String(monitorPort)}"`]),
    ...(accounts === undefined ? [] : [accounts]),
    'cluster {',
    '  name: test',
    `  listen: "${HOST}:${String(routePort)}"`,
    '  no_advertise: true',
    // What nodes tell each other of this one leads nowhere: they are to come by their own wires alone.
    `  advertise: "${HOST}:1"`,
    `  routes: [ ${routes.join(', ')} ]`,
    '}',
  ].join('\n');
}

function logOf({ folder, name }: Place): string {
  return join(folder, `${name}.log`);
}

/** JetStream answers only once the nodes have found each other and chosen who leads. */
async function waitForMetaLeader(url: string, nkeyFile: string | undefined): Promise<void> {
  const nc = await connectNats({ url, name: 'test', patience: 'forever', nkeyFile });
  try {
    await untilIn(READY_WITHIN_MS, async () => (await jetstreamManager(nc)).getAccountInfo());
  } finally {
    await nc.close();
  }
}

async function leaderOf(nc: NatsConnection, stream: string): Promise<string> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return untilIn(READY_WITHIN_MS, async () => {
    const { cluster } = await jsm.streams.info(stream);
    if (!cluster?.leader) throw new Error(`${stream} has no leader`);
    return cluster.leader;
  });
}

async function untilIn<T>(ms: number, ask: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + ms;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await delay(100);
  }
}

/** Has a connection be at another node than this one, which is about to be of no use: nobody else notices that for it. */
export async function goElsewhere(nc: NatsConnection, node: ClusterNode): Promise<void> {
  if (!node.url.endsWith(nc.getServer())) return;
  await leaveNode(nc);
  await until('the connection is at another node', () => !nc.isClosed() && !node.url.endsWith(nc.getServer()));
  await nc.flush();
}
