import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/transport-node';
import { ensureHome } from '../../../src/shared/config/home.ts';
import type { AgentRole } from '../../../src/shared/domain/ids.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import type { BuiltPrograms } from '../built-programs.ts';
import { supervise, type SupervisedDaemon } from '../crash/supervisor.ts';
import { startNatsServer, type TestNatsServer } from '../nats-server.ts';
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts';
import { type Clocks, createClocks } from './clocks.ts';
import { FORGE_FAULTS_VARIABLE } from './faulty-forge.ts';
import { NAIVE_VARIABLE } from './naive.ts';
import { makeRepositories, makeStage } from './repositories.ts';
import { makeSmallDisk, type SmallDisk } from './small-disk.ts';
import { agentsReady } from '../agents-ready.ts';

export interface WorldOptions {
  readonly counts: Readonly<Record<AgentRole, number>>;
  readonly repositories: number;
  /** How long a silent agent keeps its task (milliseconds). */
  readonly ackWaitMs: number;
  /** How long a runner may be silent (milliseconds). */
  readonly stallMs: number;
  /** Share of the forge's calls that fail. */
  readonly forgeFaults: number;
  /** The control: daemons that are wired without a thought of crashes. */
  readonly isNaive: boolean;
  /** Size of the disk that NATS has to itself where that can be had; undefined: it shares the machine's. */
  readonly diskBytes?: number;
}

/** One daemon, and all that can be done to it. */
export interface WorldDaemon extends SupervisedDaemon {
  readonly role: AgentRole;
  readonly network: ChaosProxy;
}

/** A whole system of real processes that wants to be harmed. */
export interface World {
  readonly folder: string;
  readonly home: string;
  /** The daemons' folder for temporary files. */
  readonly temporary: string;
  readonly repositories: readonly string[];
  readonly nats: TestNatsServer;
  /** Our own connection, past all the harm but that done to the server itself. */
  readonly nc: NatsConnection;
  readonly daemons: readonly WorldDaemon[];
  readonly clocks: Clocks;
  readonly disk: SmallDisk | { readonly why: string };
  readonly options: WorldOptions;
  stop(): Promise<void>;
}

const PROGRAMS = fileURLToPath(new URL('./programs', import.meta.url));
/** Killed in the middle of it, nothing of a daemon's gets a chance to drain; so it does not when it is asked nicely, either. */
const DRAIN_MS = '0';

/** Starts it all; what was started is ended again where something does not start. */
export async function startWorld(built: BuiltPrograms, options: WorldOptions): Promise<World> {
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { ...(await openWorld(built, options, closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openWorld(
  built: BuiltPrograms,
  options: WorldOptions,
  closers: (() => Promise<void> | void)[],
): Promise<Omit<World, 'stop'>> {
  const folder = await mkdtemp(join(tmpdir(), 'ma-chaos-'));
  closers.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const disk = await diskOf(folder, options);
  if ('path' in disk) closers.push(() => disk.remove());
  const nats = await startNatsServer('path' in disk ? { store: join(disk.path, 'store') } : {});
  closers.push(() => nats.stop());
  const nc = await connectNats({ url: nats.url, name: 'chaos', patience: 'forever' });
  closers.push(() => nc.close());
  await provisionTopology(nc, { ackWaitMs: options.ackWaitMs });
  const { home } = await ensureHome(join(folder, 'home'));
  const temporary = temporaryIn(folder);
  await mkdir(temporary);
  await makeStage(folder);
  const repositories = await makeRepositories(folder, options.repositories);
  const clocks = createClocks(folder);
  const daemons = await startDaemons(built, { folder, home, options, clocks, natsPort: nats.port });
  closers.push(async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    await Promise.all(daemons.map(({ network }) => network.close()));
  });
  await agentsReady(nc, daemons);
  return { folder, home, temporary, repositories, nats, nc, daemons, clocks, disk, options };
}

function temporaryIn(folder: string): string {
  return join(folder, 'tmp');
}

async function diskOf(folder: string, { diskBytes }: WorldOptions): Promise<World['disk']> {
  if (diskBytes === undefined) return { why: 'not wanted' };
  await mkdir(join(folder, 'disk'));
  return makeSmallDisk(join(folder, 'disk'), diskBytes);
}

interface Place {
  readonly folder: string;
  readonly home: string;
  readonly options: WorldOptions;
  readonly clocks: Clocks;
  readonly natsPort: number;
}

async function startDaemons(built: BuiltPrograms, place: Place): Promise<WorldDaemon[]> {
  const daemons: WorldDaemon[] = [];
  for (const role of ['repo-manager', 'coder', 'reviewer'] as const) {
    for (let n = 1; n <= place.options.counts[role]; n++) {
      const id = `${role}-${n}`;
      const network = await startChaosProxy(place.natsPort);
      const env = { ...environmentOf(place, network.port), ...place.clocks.environmentOf(id) };
      const daemon = supervise({ id, script: built.program(role), env, logFile: join(place.folder, `${id}.out`) });
      daemons.push({ ...daemon, role, network });
    }
  }
  return daemons;
}

function environmentOf({ folder, home, options }: Place, port: number): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TMPDIR: temporaryIn(folder),
    MULTI_AGENT_HOME: home,
    NATS_URL: `nats://127.0.0.1:${port}`,
    LOG_LEVEL: 'warn',
    MULTI_AGENT_ACK_WAIT_MS: String(options.ackWaitMs),
    MULTI_AGENT_STALL_MS: String(options.stallMs),
    MULTI_AGENT_DRAIN_MS: DRAIN_MS,
    // Its runners note what they did beside the workspace.
    MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
    CODER_COMMAND: `sh ${join(PROGRAMS, 'coder.sh')} ${folder}`,
    REVIEWER_COMMAND: `sh ${join(PROGRAMS, 'reviewer.sh')} ${folder}`,
    [FORGE_FAULTS_VARIABLE]: String(options.forgeFaults),
    ...(options.isNaive ? { [NAIVE_VARIABLE]: '1' } : {}),
  };
}
