import { dirname } from 'node:path';
import { resolveConnection, type Connection } from '../../shared/config/connection.ts';
import { ensureHome, type HomePaths } from '../../shared/config/home.ts';
import type { Config, Environment } from '../../shared/config/load.ts';
import type { RunnerName } from '../../shared/config/runner-variables.ts';
import { identitiesIn, identityOfSeed } from '../../shared/config/seed-file.ts';
import { readRuntime, type Runtime } from '../../shared/config/runtime.ts';
import { InvalidInputError, UnreachableError } from '../../shared/errors/errors.ts';
import { isAlive } from '../../shared/lifecycle/process-state.ts';
import { findOrFetchNatsServer } from '../../shared/nats-server/binary.ts';
import type { ProcessSpec } from '../../shared/pm2/app.ts';
import { openSandbox } from '../../shared/process/sandbox/open-sandbox.ts';
import { type AgentCounts, agentIds, idsOfOtherHomes } from './numbering.ts';
import { agentSpecs, type EntryPoint, natsSpec, roleOf } from './plan.ts';

export interface UpOptions {
  readonly config: Config;
  /** The environment of the caller: what the role files are made from, and where PM2's client gets PATH, HOME and PM2_HOME. */
  readonly env: Environment;
  /** `--nats`: use that server instead of one of our own. */
  readonly natsFlag?: string | undefined;
  /** `--repo-managers`; else REPO_MANAGERS, else as many as run already, else 1. None: agents for a system that another home runs. */
  readonly repoManagers?: number | undefined;
  /** `--coders`; else CODERS, else as many as run already, else 1. */
  readonly coders?: number | undefined;
  readonly reviewers?: number | undefined;
  /** Start every agent anew, changed or not. Default false. */
  readonly force?: boolean;
  /** Told what is going on, for a person to read. */
  readonly log?: (message: string) => void;
  readonly signal?: AbortSignal;
  readonly entryPoint?: EntryPoint;
}

/** What is to run. */
export interface Plan {
  readonly paths: HomePaths;
  readonly connection: Connection;
  /** The embedded server's port. */
  readonly port: number;
  /** The embedded server; undefined where another one is used. */
  readonly nats: ProcessSpec | undefined;
  readonly agents: readonly ProcessSpec[];
  /** Whether this home sets up streams and buckets: one that only lends agents leaves that to the one with the repo-manager. */
  readonly provisions: boolean;
}

/**
 * Decides what is to run, makes the home and the role files, and finds or fetches nats-server.
 *
 * @throws UnreachableError `nats_server_missing`
 * @throws UnreachableError `no_sandbox` where runners would have none, and nobody said that they need none
 * @throws InvalidInputError `bad_input` for no repo-manager on a server that only this home reaches
 * @throws InvalidInputError `already_running` while `up --foreground` has the system
 */
export async function prepare(options: UpOptions): Promise<Plan> {
  const { config, env, log } = options;
  const paths = await ensureHome(config.home);
  const runtime = await readRuntime(paths);
  await refuseForeground(runtime);
  const counts = countsOf(options, runtime);
  await requireSandbox(config, counts);
  const connection = await serverFor(options, paths);
  if (counts.repoManagers === 0 && connection.embedded) throw nothingToLendTo();
  const binary = connection.embedded ? await findOrFetchNatsServer({ home: config.home, ...(log ? { log } : {}) }) : undefined;
  // Nobody is on a server of ours that does not run, and there may be no credential for it yet.
  const taken = connection.embedded && runtime === undefined ? new Set<string>() : await idsOfOtherHomes(connection, paths);
  const ids = agentIds(counts, [...(runtime?.agents ?? []), ...(await seededIds(connection))], taken);
  const agents = await agentSpecs(paths, ids, config, env, connection, options.entryPoint);
  const provisions = ids.some((id) => roleOf(id) === 'repo-manager');
  return { paths, connection, port: config.natsPort, nats: binary && natsSpec(paths, binary, config.natsPort), agents, provisions };
}

/** A recording starts no program. */
async function requireSandbox(
  { home, coderRunner, reviewerRunner, sandboxRead, unsafeNoSandbox }: Config,
  counts: AgentCounts,
): Promise<void> {
  const startsPrograms = (counts.coders > 0 && isProgram(coderRunner)) || (counts.reviewers > 0 && isProgram(reviewerRunner));
  if (!startsPrograms) return;
  const { refusal } = await openSandbox({ home, unsafe: unsafeNoSandbox, readable: sandboxRead });
  if (refusal !== undefined) throw new UnreachableError('no_sandbox', refusal);
}

function isProgram(runner: RunnerName | undefined): boolean {
  return runner !== undefined && runner !== 'replay';
}

function countsOf({ config, repoManagers, coders, reviewers }: UpOptions, runtime: Runtime | undefined): AgentCounts {
  const running = (role: string): number | undefined => runtime?.agents.filter((id) => id.startsWith(`${role}-`)).length;
  return {
    repoManagers: repoManagers ?? config.repoManagers ?? running('repo-manager') ?? 1,
    coders: coders ?? config.coders ?? running('coder') ?? 1,
    reviewers: reviewers ?? config.reviewers ?? running('reviewer') ?? 1,
  };
}

/** On a server of one's own, the ids that this home can be: those whose seeds it has. */
async function seededIds({ embedded, nkeyFile }: Connection): Promise<string[]> {
  if (embedded || nkeyFile === undefined || identityOfSeed(nkeyFile) === undefined) return [];
  return identitiesIn(dirname(nkeyFile));
}

function nothingToLendTo(): InvalidInputError {
  return new InvalidInputError('bad_input', [
    '--repo-managers 0 starts agents for a system on another machine: set NATS_URL to its NATS server, and a credential',
  ]);
}

/** Not what runs already but what is asked for: a changed `NATS_PORT` or `NATS_URL` moves the system. */
async function serverFor({ config, env, natsFlag }: UpOptions, paths: HomePaths): Promise<Connection> {
  if (natsFlag !== undefined || config.natsUrl !== undefined) {
    return { ...(await resolveConnection({ config, flag: natsFlag, env })), embedded: false };
  }
  return {
    url: `nats://127.0.0.1:${String(config.natsPort)}`,
    nkeyFile: paths.natsSeed,
    source: 'default',
    embedded: true,
  };
}

async function refuseForeground(runtime: Runtime | undefined): Promise<void> {
  const pid = runtime?.supervisor === 'foreground' ? runtime.supervisorPid : undefined;
  if (pid === undefined || pid === process.pid || !(await isAlive(pid))) return;
  throw new InvalidInputError('already_running', [
    `"up --foreground" (process ${String(pid)}) has the system already; end it with "multi-agent down" first`,
  ]);
}
