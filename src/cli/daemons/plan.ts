import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Connection } from '../../shared/config/connection.ts';
import type { HomePaths } from '../../shared/config/home.ts';
import type { Config, Environment } from '../../shared/config/load.ts';
import { PACKAGE_ROOT } from '../../shared/config/package-root.ts';
import { ROLE_FILE_VARIABLE, roleEnvironment, writeRoleFile } from '../../shared/config/role-file.ts';
import { identitiesIn, identityOfSeed, seedBeside } from '../../shared/config/seed-file.ts';
import type { ConfigRole } from '../../shared/config/variable.ts';
import { VARIABLES } from '../../shared/config/variables.ts';
import type { NatsServerBinary } from '../../shared/nats-server/binary.ts';
import { InvalidInputError } from '../../shared/errors/errors.ts';
import type { ProcessSpec } from '../../shared/pm2/app.ts';

/** The program of a role. Default: the built daemon. */
export type EntryPoint = (role: ConfigRole) => string;

/** How long after its drain deadline a daemon may take to hand back its task and end. */
const END_MARGIN_MS = 5_000;
export const NATS_ID = 'nats';

export function roleOf(agentId: string): ConfigRole {
  return agentId.replace(/-\d+$/, '') as ConfigRole;
}

/** The embedded server as a process. What is in its config file but the port does not restart it. */
export function natsSpec(paths: HomePaths, binary: NatsServerBinary, port: number): ProcessSpec {
  return {
    id: NATS_ID,
    script: binary.path,
    args: ['-c', paths.natsConfig],
    node: false,
    env: {},
    errorFile: `${paths.logs}/nats.err.log`,
    killTimeoutMs: 15_000,
    depends: `accounts port ${String(port)} version ${binary.version}`,
  };
}

/** Writes the role files, and gives the agents as processes: one whose role file changed differs from what it was. */
export async function agentSpecs(
  paths: HomePaths,
  ids: readonly string[],
  config: Config,
  env: Environment,
  connection: Connection,
  entryPoint: EntryPoint = builtDaemon,
): Promise<ProcessSpec[]> {
  await requireSeeds(connection, ids);
  const roles: readonly ConfigRole[] = ['repo-manager', 'coder', 'reviewer'];
  const hashes = new Map<string, string>();
  for (const role of roles) {
    const variables = roleEnvironment(role, env, connectionVariables(config, connection));
    await writeRoleFile(paths.roleFile(role), variables);
    hashes.set(role, createHash('sha256').update(JSON.stringify(variables)).digest('hex'));
  }
  return ids.map((id) => ({
    id,
    script: entryPoint(roleOf(id)),
    args: [],
    node: true,
    env: {
      AGENT_ID: id,
      MULTI_AGENT_HOME: paths.home,
      [ROLE_FILE_VARIABLE]: paths.roleFile(roleOf(id)),
      // A role's agents share its file, but not their identities.
      ...seedVariable(connection, id),
    },
    errorFile: `${paths.logs}/${id}.err.log`,
    killTimeoutMs: config.drainMs + END_MARGIN_MS,
    depends: hashes.get(roleOf(id)) ?? '',
  }));
}

function seedVariable({ nkeyFile }: Connection, id: string): Record<string, string> {
  const own = nkeyFile === undefined ? undefined : seedBeside(nkeyFile, id);
  return own === undefined ? {} : { [VARIABLES.natsNkeyFile.name]: own };
}

/**
 * On a server of one's own nobody but its owner can add a user; an agent never gets another's seed instead.
 *
 * @throws InvalidInputError `no_seed` naming the agents that have none
 */
async function requireSeeds({ nkeyFile, embedded }: Connection, ids: readonly string[]): Promise<void> {
  if (embedded || nkeyFile === undefined || identityOfSeed(nkeyFile) === undefined) return;
  const there = await identitiesIn(dirname(nkeyFile));
  const missing = ids.filter((id) => !there.includes(id));
  if (missing.length === 0) return;
  throw new InvalidInputError('no_seed', [
    `${missing.join(', ')}: no nkey seed in ${dirname(nkeyFile)}; make them with "multi-agent nats users --out ${dirname(nkeyFile)}" and tell the server`,
  ]);
}

function connectionVariables(config: Config, { url, nkeyFile, credsFile }: Connection): Environment {
  const common = nkeyFile === undefined || identityOfSeed(nkeyFile) === undefined ? nkeyFile : undefined;
  return { MULTI_AGENT_HOME: config.home, NATS_URL: url, NATS_NKEY_FILE: common, NATS_CREDS: credsFile };
}

function builtDaemon(role: ConfigRole): string {
  return join(PACKAGE_ROOT, 'dist', 'agents', role, 'main.js');
}
