import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { ensureHome } from '../../../src/shared/config/home.ts';
import { isTerminal, Job } from '../../../src/shared/domain/job.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { type Bucket, openBucket } from '../../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { publishUntilAcknowledged } from '../../../src/shared/messaging/publish.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import { makeRepository } from '../in-process-system.ts';
import { startNatsServer, type TestNatsServer } from '../nats-server.ts';
import { requireNoRefusals } from '../refusals.ts';
import { type ArmedPoint, armedFile, armPoint, firedFile, FOLDER_VARIABLE, readCalls } from './armed-point.ts';
import type { BuiltPrograms } from '../built-programs.ts';
import { makeGitShim } from './git-shim.ts';
import { SABOTAGE_VARIABLE, type Sabotage } from './sabotage.ts';
import { supervise, type SupervisedDaemon } from './supervisor.ts';
import { submitRequest } from '../submit-request.ts';
import { agentsReady } from '../agents-ready.ts';

export type Role = 'repo-manager' | 'coder' | 'reviewer';

/** What of a NATS server, or a cluster of them, every system needs. */
export interface NatsService {
  readonly url: string;
  /** The seed of one who may do everything, where a credential is asked for. */
  readonly nkeyFile?: string | undefined;
  /** How a daemon connects, where each has a user of its own. */
  readonly as?: (id: string) => { readonly nkeyFile: string };
  /** Its log, where it has one. */
  readonly log?: string;
  stop(): Promise<void>;
}

export interface CrashSystemOptions {
  readonly counts?: Partial<Record<Role, number>>;
  /** How long a silent agent keeps its task (milliseconds). Default 1,500, so that the tests need not wait long. */
  readonly ackWaitMs?: number;
  readonly sabotage?: Sabotage;
}

/** A whole system of real processes, each daemon under a supervisor, each able to crash where it is told to. */
export interface CrashSystem<Nats extends NatsService = TestNatsServer> {
  readonly nats: Nats;
  readonly nc: NatsConnection;
  readonly home: string;
  /** Where the runners say what they do, and are told to wait (`hold`). */
  readonly folder: string;
  readonly daemons: readonly SupervisedDaemon[];
  daemon(id: string): SupervisedDaemon;
  /** Starts one more daemon; `env` comes over what all of them have. */
  start(id: string, env?: Readonly<Record<string, string>>): Promise<SupervisedDaemon>;
  arm(role: Role, point: ArmedPoint): void;
  disarm(role: Role): void;
  /** Whether what was armed for the role has gone off. */
  hasFired(role: Role): boolean;
  /** The calls of a role since a point was armed for it, as `<moment> <call>`. */
  calls(role: Role): string[];
  /** Submits a job; its repository has one commit, its change one file. */
  submit(options?: { rounds?: 1 | 2; repository?: string }): Promise<SubmittedJob>;
  command(jobId: string, type: 'StopJob' | 'RetryJob'): Promise<void>;
  job(jobId: string): Promise<Job | undefined>;
  finished(jobId: string, withinMs?: number): Promise<Job>;
  /** What the runners said: `start|end|review <job> <round> <attempt>`. */
  runs(): string[];
  hold(name?: string): void;
  letGo(name?: string): void;
  stop(): Promise<void>;
}

export interface SubmittedJob {
  readonly id: string;
  readonly repository: string;
  readonly rounds: number;
}

const ROLES: readonly Role[] = ['repo-manager', 'coder', 'reviewer'];
const ACK_WAIT_MS = 1_500;
const FINISHED_WITHIN_MS = 40_000;
const PROGRAMS = fileURLToPath(new URL('./programs', import.meta.url));

export async function startCrashSystem(built: BuiltPrograms, options: CrashSystemOptions = {}): Promise<CrashSystem> {
  const users = idsOf(options.counts ?? {});
  return startCrashSystemOn(await startNatsServer({ users }), built, options);
}

/** The same on a server, or cluster, that is there already; it is stopped with the system. */
export async function startCrashSystemOn<Nats extends NatsService>(
  nats: Nats,
  built: BuiltPrograms,
  options: CrashSystemOptions = {},
): Promise<CrashSystem<Nats>> {
  const { counts = {}, ackWaitMs = ACK_WAIT_MS } = options;
  const nc = await connectNats({ url: nats.url, nkeyFile: nats.nkeyFile, name: 'test', patience: 'forever' });
  await provisionTopology(nc, { ackWaitMs });
  const folder = await mkdtemp(join(tmpdir(), 'ma-crash-'));
  const { home } = await ensureHome(join(folder, 'home'));
  await mkdir(join(folder, 'repositories'));
  const jobs = await openBucket(nc, BUCKETS.jobs, Job);
  const place = { folder, home, nats, ackWaitMs, counts, sabotage: options.sabotage };
  const daemons = await startDaemons(built, place);
  await agentsReady(nc, daemons);

  return {
    nats,
    nc,
    home,
    folder,
    daemons,
    daemon: (id) => {
      const found = daemons.find((daemon) => daemon.id === id);
      if (!found) throw new Error(`no daemon ${id}`);
      return found;
    },
    start: async (id, env = {}) => {
      const daemon = await startDaemon(built, place, id, env);
      daemons.push(daemon);
      await agentsReady(nc, [daemon]);
      return daemon;
    },
    arm: (role, point) => armPoint(folder, role, point),
    disarm: (role) => {
      rmSync(armedFile(folder, role), { force: true });
    },
    hasFired: (role) => existsSync(firedFile(folder, role)),
    calls: (role) => readCalls(folder, role),
    submit: ({ rounds = 1, repository } = {}) => submit(nc, folder, rounds, repository),
    command: (jobId, type) => command(nc, jobId, type),
    job: async (jobId) => (await jobs.get(jobId))?.value,
    finished: (jobId, withinMs = FINISHED_WITHIN_MS) => finished(jobs, jobId, withinMs),
    runs: () => linesOf(join(folder, 'runs')),
    hold: (name = 'hold') => {
      writeFileSync(join(folder, name), '');
    },
    letGo: (name = 'hold') => {
      rmSync(join(folder, name), { force: true });
    },
    stop: async () => {
      await Promise.all(daemons.map((daemon) => daemon.stop()));
      await nc.close();
      const refused = nats.log === undefined ? Promise.resolve() : requireNoRefusals(nats.log);
      await refused.finally(async () => {
        await nats.stop();
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      });
    },
  };
}

interface Place {
  readonly folder: string;
  readonly home: string;
  readonly nats: NatsService;
  readonly ackWaitMs: number;
  readonly counts: Partial<Record<Role, number>>;
  readonly sabotage: Sabotage | undefined;
}

function idsOf(counts: Place['counts']): string[] {
  return ROLES.flatMap((role) => Array.from({ length: counts[role] ?? 1 }, (_, index) => `${role}-${String(index + 1)}`));
}

async function startDaemons(built: BuiltPrograms, place: Place): Promise<SupervisedDaemon[]> {
  const daemons: SupervisedDaemon[] = [];
  for (const id of idsOf(place.counts)) daemons.push(await startDaemon(built, place, id, {}));
  return daemons;
}

async function startDaemon(
  built: BuiltPrograms,
  place: Place,
  id: string,
  env: Readonly<Record<string, string>>,
): Promise<SupervisedDaemon> {
  const role = id.replace(/-\d+$/, '') as Role;
  const usual = environmentOf(place, await makeGitShim(place.folder, role));
  return supervise({
    id,
    script: built.program(role),
    env: { ...usual, ...credentialOf(place.nats, id), ...env },
    logFile: join(place.folder, `${id}.out`),
  });
}

function credentialOf({ as, nkeyFile }: NatsService, id: string): Record<string, string> {
  return as && nkeyFile !== undefined ? { NATS_NKEY_FILE: as(id).nkeyFile } : {};
}

function environmentOf({ folder, home, nats: { url }, ackWaitMs, sabotage }: Place, bin: string): Record<string, string> {
  return {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    MULTI_AGENT_HOME: home,
    NATS_URL: url,
    LOG_LEVEL: 'info',
    MULTI_AGENT_ACK_WAIT_MS: String(ackWaitMs),
    MULTI_AGENT_DRAIN_MS: '0',
    // Its runners note what they did beside the workspace.
    MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
    CODER_COMMAND: `sh ${join(PROGRAMS, 'coder.sh')} ${folder}`,
    REVIEWER_COMMAND: `sh ${join(PROGRAMS, 'reviewer.sh')} ${folder}`,
    [FOLDER_VARIABLE]: folder,
    ...(sabotage === undefined ? {} : { [SABOTAGE_VARIABLE]: sabotage }),
  };
}

async function submit(nc: NatsConnection, folder: string, rounds: 1 | 2, given?: string): Promise<SubmittedJob> {
  const jobId = `job-${ulid()}`;
  const repository = given ?? join(folder, 'repositories', jobId);
  if (given === undefined) await rename(await makeRepository(), repository);
  if (rounds === 2) writeFileSync(join(folder, `two-rounds-${jobId}`), '');
  await submitRequest(nc, jobId, repository);
  return { id: jobId, repository, rounds };
}

async function command(nc: NatsConnection, jobId: string, type: 'StopJob' | 'RetryJob'): Promise<void> {
  const commandId = ulid();
  const message = versioned({ type, jobId, commandId, at: Date.now() });
  await publishUntilAcknowledged(jetstream(nc), subjects.input('command', jobId), message, { messageId: commandId });
}

async function finished(jobs: Bucket<Job>, jobId: string, withinMs: number): Promise<Job> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    // The server may be down just now: that is part of some tests.
    const job = (await jobs.get(jobId).catch(() => null))?.value;
    if (job && isTerminal(job.status) && job.pending.length === 0) return job;
    if (performance.now() > giveUpAt) throw new Error(`not finished within ${String(withinMs)} ms: ${JSON.stringify(job)}`);
    await delay(30);
  }
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
