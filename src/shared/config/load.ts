import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { InvalidInputError } from '../errors/errors.ts';
import type { RunnerName } from './runner-variables.ts';
import { VARIABLES } from './variables.ts';
import type { ConfigRole, Variable } from './variable.ts';

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Table = typeof VARIABLES;

/** The value of each variable of the table, by its config name. What the role may not see is as if it were unset. */
export type Config = { readonly [K in keyof Table]: Table[K] extends Variable<infer T> ? T : never } & {
  /** The models' variables that are set, under their own names: what a runner's child process may get. */
  readonly modelEnvironment: Readonly<Record<string, string>>;
  /** The variables named by `MULTI_AGENT_PASS_ENV` that are set: what repositories may ask for. */
  readonly passedEnvironment: Readonly<Record<string, string>>;
  /** The values that no log may show. */
  readonly secrets: readonly string[];
};

/**
 * The typed configuration of a role, read from `env` (default: this process's). A daemon sees only what the table lets it see.
 *
 * @throws InvalidInputError `bad_config` naming every fault at once, each with its variable.
 */
export function loadConfig(role: ConfigRole | 'cli', env: Environment = process.env): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, variable] of entries()) {
    const visible = role === 'cli' || variable.readers.includes(role);
    values[key] = parse(variable, visible ? rawValue(variable, env) : undefined, env, faults);
  }
  values['modelEnvironment'] = role === 'repo-manager' ? {} : modelEnvironment(env);
  const passed = passedEnvironment(env);
  values['passedEnvironment'] = passed;
  // What the operator lets through may be a token: whoever prints it, nobody is shown it.
  values['secrets'] = [...secretsIn(env), ...Object.values(passed)];
  const config = withInferredRunners(values as unknown as Config);
  faults.push(...combinationFaults(config));
  if (faults.length > 0) throw new InvalidInputError('bad_config', faults);
  return config;
}

/** The text of a variable as it is set, paths made absolute; undefined when it is unset or empty. */
export function rawValue(variable: Variable<unknown>, env: Environment): string | undefined {
  const value = env[variable.name]?.trim();
  if (value === undefined || value === '') return undefined;
  return variable.path ? absolutePath(value, env) : value;
}

/** Every variable with its config name, in the table's order. */
export function entries(): readonly (readonly [keyof Table, Variable<unknown>])[] {
  return Object.entries(VARIABLES) as [keyof Table, Variable<unknown>][];
}

/** The values of the secret variables in `env`: what no log may show. */
export function secretsIn(env: Environment): string[] {
  return entries().flatMap(([, variable]) => (variable.secret ? (rawValue(variable, env) ?? []) : []));
}

function parse(variable: Variable<unknown>, raw: string | undefined, env: Environment, faults: string[]): unknown {
  const value = raw ?? variable.fallback;
  if (value === undefined) return undefined;
  const result = variable.schema.safeParse(variable.path ? absolutePath(value, env) : value);
  if (result.success) return result.data;
  const shown = variable.secret ? '' : ` (it is ${JSON.stringify(value)})`;
  faults.push(`${variable.name} ${result.error.issues.map((issue) => issue.message).join(', ')}${shown}`);
  return undefined;
}

function absolutePath(path: string, env: Environment): string {
  const userHome = env['HOME'] ?? homedir();
  if (path === '~') return userHome;
  return path.startsWith('~/') ? join(userHome, path.slice(2)) : resolve(path);
}

/** What `MULTI_AGENT_PASS_ENV` names, under its own names. */
export function passedEnvironment(env: Environment): Record<string, string> {
  const names = VARIABLES.passEnv.schema.safeParse(rawValue(VARIABLES.passEnv, env) ?? '').data ?? [];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function modelEnvironment(env: Environment): Record<string, string> {
  const models = entries().filter(([, variable]) => variable.group === 'models');
  return Object.fromEntries(models.flatMap(([, variable]) => pairOf(variable, env)));
}

function pairOf(variable: Variable<unknown>, env: Environment): [string, string][] {
  const value = rawValue(variable, env);
  return value === undefined ? [] : [[variable.name, value]];
}

function withInferredRunners(config: Config): Config {
  return {
    ...config,
    coderRunner: config.coderRunner ?? inferred(config.coderCommand, config.coderRecording),
    reviewerRunner: config.reviewerRunner ?? inferred(config.reviewerCommand, config.reviewerRecording),
  };
}

function inferred(command: string | undefined, recording: string | undefined): RunnerName | undefined {
  if (command !== undefined) return 'command';
  return recording === undefined ? undefined : 'replay';
}

/** Variables that are each right but do not go together. */
function combinationFaults(config: Config): string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [config.coderRunner === 'command' && config.coderCommand === undefined, 'CODER_RUNNER is command, but CODER_COMMAND is not set'],
    [config.coderRunner === 'replay' && config.coderRecording === undefined, 'CODER_RUNNER is replay, but CODER_RECORDING is not set'],
    [
      config.reviewerRunner === 'command' && config.reviewerCommand === undefined,
      'REVIEWER_RUNNER is command, but REVIEWER_COMMAND is not set',
    ],
    [
      config.reviewerRunner === 'replay' && config.reviewerRecording === undefined,
      'REVIEWER_RUNNER is replay, but REVIEWER_RECORDING is not set',
    ],
    [
      config.natsCreds !== undefined && config.natsNkeyFile !== undefined,
      'NATS_CREDS and NATS_NKEY_FILE are both set; one credential is enough',
    ],
    [
      (config.natsCertFile === undefined) !== (config.natsKeyFile === undefined),
      'NATS_CERT_FILE and NATS_KEY_FILE go together; one of them is not set',
    ],
  ];
  return rules.filter(([broken]) => broken).map(([, fault]) => fault);
}
