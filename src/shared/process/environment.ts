import { isAbsolute } from 'node:path';

/** The environment of a process; what is not in it does not reach the child. */
export type Environment = Readonly<Record<string, string>>;

/** Which variables a child sees. */
export interface EnvironmentOptions {
  /** Set explicitly; wins over everything that is let through. */
  readonly set?: Environment | undefined;
  /** Names let through from `from` on top of the base list; one that is not set there is left out. */
  readonly letThrough?: readonly string[] | undefined;
  /** Where values come from (default: the environment of this process). */
  readonly from?: Readonly<Record<string, string | undefined>> | undefined;
}

const BASE_NAMES = ['HOME', 'LANG', 'LOGNAME', 'TMPDIR', 'TZ', 'USER'] as const;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The system's own keys and addresses. No setting of a repository lets them through: its code would have them. */
const OWN_NAMES = /^(?:NATS_|MULTI_AGENT_|PM2_|GITHUB_|GH_|SLACK_|DISCORD_|NOTIFICATION_)/;

/**
 * The environment of a child, built from an allow-list: PATH, HOME, LANG, LC_*, LOGNAME, TMPDIR, TZ, USER and TERM=dumb,
 * then the names let through, then what is set explicitly.
 *
 * Relative entries of PATH are dropped: they would be looked up in the worktree. Names of the system's own (NATS_*,
 * MULTI_AGENT_*, forge and notifier keys) are never let through, only set.
 */
export function buildEnvironment(options: EnvironmentOptions = {}): Environment {
  const from = options.from ?? process.env;
  const environment: Record<string, string> = { TERM: 'dumb' };
  for (const name of [...BASE_NAMES, ...localeNames(from), ...allowedNames(options.letThrough ?? [])]) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  environment['PATH'] = absoluteEntries(from['PATH']) || DEFAULT_PATH;
  return { ...environment, ...options.set };
}

/**
 * What a daemon has to give to children by name: the base list, and what its operator lets through. A daemon that was started by hand
 * has its whole shell around it, and a repository may ask for any name.
 */
export function environmentToGive(
  passed: Environment,
  own: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string | undefined>> {
  const names = [...BASE_NAMES, 'PATH', ...localeNames(own)].filter((name) => own[name] !== undefined);
  return { ...Object.fromEntries(names.map((name) => [name, own[name]])), ...passed };
}

function localeNames(from: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(from).filter((name) => name.startsWith('LC_'));
}

function allowedNames(names: readonly string[]): string[] {
  return names.filter((name) => !OWN_NAMES.test(name));
}

function absoluteEntries(path: string | undefined): string {
  return (path ?? '')
    .split(':')
    .filter((entry) => isAbsolute(entry))
    .join(':');
}
