import { readFile, rename, writeFile } from 'node:fs/promises';
import { InvalidInputError } from '../errors/errors.ts';
import { entries, loadConfig, passedEnvironment, rawValue, type Config, type Environment } from './load.ts';
import type { ConfigRole } from './variable.ts';

/** Names the role file of a daemon; set by `up`. Without it a daemon reads its own environment. */
export const ROLE_FILE_VARIABLE = 'MULTI_AGENT_ROLE_FILE';

/** The variables of `env` that a role may see, as they are set. `overrides` come first: where `up` put the server and its credential. */
export function roleEnvironment(role: ConfigRole, env: Environment, overrides: Environment = {}): Record<string, string> {
  const merged = { ...env, ...overrides };
  const pairs = entries().flatMap(([, variable]): [string, string][] => {
    const value = variable.readers.includes(role) ? rawValue(variable, merged) : undefined;
    return value === undefined ? [] : [[variable.name, value]];
  });
  return { ...passedEnvironment(merged), ...Object.fromEntries(pairs) };
}

/** Writes a role file, owner-only, whole or not at all. Says whether its content changed. */
export async function writeRoleFile(path: string, variables: Readonly<Record<string, string>>): Promise<boolean> {
  const content = Object.entries(variables)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join('');
  if ((await readFile(path, 'utf8').catch(() => undefined)) === content) return false;
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return true;
}

/**
 * The configuration of a daemon: its role file's variables, over `AGENT_ID` and `MULTI_AGENT_HOME` of its environment.
 * Started by hand, without a role file, it reads its environment alone.
 *
 * @throws InvalidInputError `bad_config` when the file can't be read or a value is wrong.
 */
export async function loadDaemonConfig(role: ConfigRole, env: Environment = process.env): Promise<Config> {
  const path = env[ROLE_FILE_VARIABLE];
  return loadConfig(role, path === undefined ? env : { ...env, ...(await readRoleFile(path)) });
}

/** @throws InvalidInputError `bad_config` when it can't be read or is not one. */
export async function readRoleFile(path: string): Promise<Record<string, string>> {
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
    return Object.fromEntries(lines.map(parseLine));
  } catch (error) {
    throw new InvalidInputError('bad_config', [`the role file ${path} can't be read; \`multi-agent up\` writes it`], { cause: error });
  }
}

function parseLine(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), String(JSON.parse(line.slice(at + 1)))];
}
