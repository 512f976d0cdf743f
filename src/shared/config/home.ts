import { mkdir } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { seedFile } from './seed-file.ts';

/** Every path under `MULTI_AGENT_HOME`. Nothing else in the system joins such a path. */
export interface HomePaths {
  readonly home: string;
  /** A fetched nats-server. */
  readonly bin: string;
  /** The JetStream store of the embedded server. */
  readonly nats: string;
  /** The repo-manager's bare mirrors of the users' repositories. */
  readonly mirrors: string;
  /** The agents' bare caches, shared by the agents of this host. */
  readonly repositories: string;
  /** Worktrees in use, one a task. */
  readonly worktrees: string;
  /** Idle clean worktrees, by repository. */
  readonly pool: string;
  /** What coding CLIs keep between the rounds of a job, by job and role. */
  readonly sessions: string;
  /** The records of the `local` forge. */
  readonly forge: string;
  readonly run: string;
  readonly logs: string;
  /** Where the running system is; see `Runtime`. */
  readonly runtimeFile: string;
  /** What PM2 is to run: `ecosystem.config.js` reads it. */
  readonly processesFile: string;
  readonly natsConfig: string;
  /** The seed with which a person's commands log in to the embedded server, owner-only. Everybody else's lie beside it. */
  readonly natsSeed: string;
  readonly natsPidFile: string;
  /** Held by `up`, `down` and `restart`, so that two of them do not work against each other. */
  readonly upLock: string;
  /** The variables of a role, owner-only. */
  readonly roleFile: (role: string) => string;
  /** The file an agent's log starts with; rotated ones have a number. */
  readonly logFile: (agentId: string) => string;
}

/** The layout of a home; touches nothing. */
export function homePaths(home: string): HomePaths {
  const run = join(home, 'run');
  const logs = join(home, 'logs');
  const folders = ['bin', 'nats', 'mirrors', 'repositories', 'worktrees', 'pool', 'sessions', 'forge'] as const;
  const [bin, nats, mirrors, repositories, worktrees, pool, sessions, forge] = folders.map((name) => join(home, name)) as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    home,
    bin,
    nats,
    mirrors,
    repositories,
    worktrees,
    pool,
    sessions,
    forge,
    run,
    logs,
    runtimeFile: join(run, 'runtime.json'),
    processesFile: join(run, 'processes.json'),
    natsConfig: join(run, 'nats.conf'),
    natsSeed: seedFile(run, 'operator'),
    natsPidFile: join(run, 'nats.pid'),
    upLock: join(run, 'up.lock'),
    roleFile: (role) => join(run, `${role}.env`),
    logFile: (agentId) => join(logs, `${agentId}.log`),
  };
}

/** Makes the home and its folders, open to their owner only. Safe to repeat. */
export async function ensureHome(home: string): Promise<HomePaths> {
  const paths = homePaths(home);
  await mkdir(paths.home, { recursive: true, mode: 0o700 });
  const folders = [paths.nats, paths.mirrors, paths.repositories, paths.worktrees, paths.pool, paths.forge, paths.run, paths.logs];
  await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
  return paths;
}

/** Eight hexadecimal digits that stand for a home: in PM2's names and the NATS server's name, so that two homes never meet. */
export function homeHash(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 8);
}
