import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { type AgentLog, type RunningAgent, startAgent } from '../../src/agents/base/agent.ts';
import type { WorkerContext } from '../../src/agents/base/worker-context.ts';
import { createCoder } from '../../src/agents/coder/coder.ts';
import type { RepoManagerContext } from '../../src/agents/repo-manager/context.ts';
import { type RunningRepoManager, startRepoManager } from '../../src/agents/repo-manager/repo-manager.ts';
import { wireRepoManager } from '../../src/agents/repo-manager/wiring.ts';
import { createReviewer } from '../../src/agents/reviewer/reviewer.ts';
import { ensureHome } from '../../src/shared/config/home.ts';
import { DEFAULT_WORKFLOW } from '../../src/shared/domain/feature.ts';
import { isTerminal, Job } from '../../src/shared/domain/job.ts';
import { versioned } from '../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../src/shared/messages/feature-request.ts';
import type { CommandMessage } from '../../src/shared/messages/job-input.ts';
import { subjects } from '../../src/shared/messages/subjects.ts';
import { openBucket } from '../../src/shared/messaging/bucket.ts';
import { openBundleStore } from '../../src/shared/messaging/bundle-store.ts';
import { connectNats } from '../../src/shared/messaging/connection.ts';
import type { Identity } from '../../src/shared/messaging/permissions.ts';
import { provisionTopology } from '../../src/shared/messaging/provision.ts';
import { type Sandbox, UNSAFE } from '../../src/shared/process/sandbox/sandbox.ts';
import { publishUntilAcknowledged } from '../../src/shared/messaging/publish.ts';
import { BUCKETS } from '../../src/shared/messaging/topology.ts';
import { createRunner } from '../../src/shared/runner/registry.ts';
import { createRedactor } from '../../src/shared/telemetry/redact.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';
import { requireNoRefusals } from './refusals.ts';

export interface SystemOptions {
  /** The command lines of the runners; `{bin}` stands for `tests/support/runners`. */
  readonly coder: string;
  readonly reviewer: string;
  readonly coders?: number;
  readonly ackWaitMs?: number;
  readonly stallMs?: number;
  /** Variables that the operator lets repositories ask for; their values are secrets. */
  readonly passed?: Readonly<Record<string, string>>;
  /** Wraps what the repo-manager works with, to have it fail or stop at a point. */
  readonly wrapContext?: (context: RepoManagerContext) => RepoManagerContext;
  /** Where runners and checks are run, for the home of the system. Default: nowhere in particular. */
  readonly sandbox?: (home: string) => Promise<Sandbox>;
  /** Somebody tries what it may not: else `stop` fails where the server refused anything. Default false. */
  readonly refusalsExpected?: boolean;
}

export interface InProcessSystem {
  readonly nats: TestNatsServer;
  readonly nc: NatsConnection;
  readonly home: string;
  readonly repoManager: RunningRepoManager;
  readonly agents: RunningAgent[];
  submit(request?: Partial<FeatureRequest>): Promise<string>;
  command(command: {
    readonly type: CommandMessage['type'];
    readonly jobId: string;
    readonly headCommit?: string;
    readonly comment?: string;
  }): Promise<void>;
  job(jobId: string): Promise<Job | undefined>;
  /** Waits until the job is as asked, and gives it; fails with the record as it is after `withinMs` (default 30,000). */
  jobWhen(jobId: string, condition: (job: Job) => boolean, withinMs?: number): Promise<Job>;
  finished(jobId: string, withinMs?: number): Promise<Job>;
  startCoder(n: number): Promise<RunningAgent>;
  stop(): Promise<void>;
}

/** As many as any test starts. */
const USERS: readonly Identity[] = ['provisioner', 'operator', 'repo-manager-1', 'coder-1', 'coder-2', 'coder-3', 'coder-4', 'reviewer-1'];

const SILENT: AgentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const LOG: AgentLog = process.env['TEST_LOG'] === undefined ? SILENT : { info: print, warn: print, error: print };

/** A whole system in this process, on a real nats-server, everybody with its own user: repo-manager, coders, one reviewer. */
export async function startSystem(options: SystemOptions): Promise<InProcessSystem> {
  const nats = await startNatsServer({ users: USERS });
  const nc = await connectNats({ url: nats.url, nkeyFile: nats.nkeyFile, name: 'test' });
  const connections = [nc];
  const connectAs = async (identity: Identity): Promise<NatsConnection> => {
    const connection = await connectNats({ ...nats.as(identity), name: identity, patience: 'forever' });
    connections.push(connection);
    return connection;
  };
  await provisionTopology(await connectAs('provisioner'), { ackWaitMs: options.ackWaitMs ?? 2_000 });
  const home = await mkdtemp(join(tmpdir(), 'ma-system-'));
  const paths = await ensureHome(home);
  const sandbox = (await options.sandbox?.(home)) ?? UNSAFE;
  const jobs = await openBucket(nc, BUCKETS.jobs, Job);

  const managing = await connectAs('repo-manager-1');
  const wired = await wireRepoManager({
    nc: managing,
    paths,
    agentId: 'repo-manager-1',
    incarnation: ulid(),
    log: LOG as never,
    config: { passedEnvironment: options.passed ?? {}, secrets: Object.values(options.passed ?? {}), allowedHosts: [] },
    sandbox,
  });
  const context = options.wrapContext?.(wired) ?? wired;
  const repoManager = await startRepoManager({ nc: managing, context, version: 'test', sweepEveryMs: 1_000 });

  const startOne = async (role: 'coder' | 'reviewer', n: number): Promise<RunningAgent> => {
    const agentId = `${role}-${String(n)}`;
    const own = await connectAs(agentId);
    const incarnation = ulid();
    const worker: WorkerContext = {
      nc: own,
      bundles: await openBundleStore(own, agentId),
      home,
      runner: createRunner({
        kind: 'command',
        command: options[role].replaceAll('{bin}', RUNNERS),
        system: home,
        graceMs: 200,
        from: { ...process.env, ...options.passed },
        confinement: { sandbox, home },
      }),
      confinement: { sandbox, home },
      agentId,
      incarnation,
      stallMs: options.stallMs ?? 30_000,
      environment: options.passed ?? {},
      redact: createRedactor(Object.values(options.passed ?? {})).redact,
    };
    return startAgent({
      nc: own,
      agentId,
      incarnation,
      worker: role === 'coder' ? createCoder(worker) : createReviewer(worker),
      version: 'test',
      now: () => Date.now(),
      log: LOG,
      workingEveryMs: (options.ackWaitMs ?? 2_000) / 4,
    });
  };
  const agents: RunningAgent[] = [];
  for (let n = 1; n <= (options.coders ?? 1); n++) agents.push(await startOne('coder', n));
  agents.push(await startOne('reviewer', 1));

  const job = async (jobId: string): Promise<Job | undefined> => (await jobs.get(jobId))?.value;
  const jobWhen = async (jobId: string, condition: (job: Job) => boolean, withinMs = 30_000): Promise<Job> => {
    const giveUpAt = Date.now() + withinMs;
    for (;;) {
      const found = await job(jobId);
      if (found && condition(found)) return found;
      if (Date.now() > giveUpAt) throw new Error(`not within ${String(withinMs)} ms: ${JSON.stringify(found, null, 2)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return {
    nats,
    nc,
    home,
    repoManager,
    agents,
    job,
    jobWhen,
    finished: (jobId, withinMs) => jobWhen(jobId, ({ status, pending }) => isTerminal(status) && pending.length === 0, withinMs),
    startCoder: (n) => startOne('coder', n),
    submit: async (request = {}) => {
      const jobId = request.jobId ?? `job-${ulid()}`;
      const message: FeatureRequest = versioned({
        type: 'FeatureRequest' as const,
        jobId,
        priority: 'normal' as const,
        repository: { kind: 'local' as const, url: '/nowhere' },
        feature: { title: 'A feature', description: 'Do it.', requirements: [], acceptanceCriteria: [] },
        workflow: DEFAULT_WORKFLOW,
        submittedAt: Date.now(),
        ...request,
      });
      await publishUntilAcknowledged(jetstream(nc), subjects.request(jobId), message, { messageId: jobId, lastSubjectSequence: 0 });
      return jobId;
    },
    command: async (command) => {
      const commandId = ulid();
      await publishUntilAcknowledged(
        jetstream(nc),
        subjects.input('command', command.jobId),
        { ...command, v: 1, commandId, at: Date.now() },
        { messageId: commandId },
      );
    },
    stop: async () => {
      await Promise.all(agents.map((agent) => agent.stop(AbortSignal.timeout(1_000))));
      await repoManager.stop(AbortSignal.timeout(5_000));
      await Promise.all(connections.map((connection) => connection.close()));
      const refused = options.refusalsExpected === true ? Promise.resolve() : requireNoRefusals(nats.log);
      await refused.finally(async () => {
        await nats.stop();
        await rm(home, { recursive: true, force: true });
      });
    },
  };
}

export const RUNNERS = new URL('./runners', import.meta.url).pathname;

/** A git repository with one commit on `main`. */
export async function makeRepository(files: Readonly<Record<string, string>> = { 'README.md': '# sample\n' }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ma-repository-'));
  git(directory, 'init', '-q', '-b', 'main');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  git(directory, 'add', '-A');
  git(directory, 'commit', '-q', '-m', 'first', '--allow-empty');
  return directory;
}

export function git(directory: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  return execFileSync('git', ['-C', directory, ...identity, ...args], { encoding: 'utf8' }).trim();
}

function print(fields: object, message: string): void {
  process.stderr.write(`${message} ${JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.stack : value))}\n`);
}
