/**
 * Settings that hold for every git process of ours, whatever a repository's own configuration says. They switch off all
 * that could run a program or reach the network (reliability.md, "Security", git).
 */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.untrackedCache=false',
  'core.splitIndex=false',
  'core.trustctime=true',
  'core.checkStat=default',
  'core.quotePath=false',
  'core.sshCommand=false',
  'submodule.recurse=false',
  'diff.ignoreSubmodules=all',
  'fetch.recurseSubmodules=false',
  'safe.bareRepository=explicit',
  'transfer.fsckObjects=true',
  'protocol.allow=never',
  'http.followRedirects=false',
  'credential.helper=',
  'commit.gpgSign=false',
  'log.showSignature=false',
  'gc.auto=0',
  'maintenance.auto=false',
] as const;

/** `-c` and the setting, for each; further ones come after and win. */
export function settingsArguments(further: readonly string[] = []): string[] {
  return [...SETTINGS, ...further].flatMap((setting) => ['-c', setting]);
}

/**
 * The whole environment of a git process: nothing of ours but `PATH` gets through.
 *
 * `GIT_ALLOW_PROTOCOL=none` names no protocol: objects move between repositories by our own pipes, never by a transport.
 * Replace refs and grafts are off, since both make a commit id stand for something else.
 */
export function gitEnvironment(further: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: '/dev/null',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    ...further,
  };
}

/** Who and when, for a commit or a reflog entry: the same every time it is made again. `at` is in milliseconds. */
export function identityEnvironment(at: number): Record<string, string> {
  const date = `${String(Math.floor(at / 1000))} +0000`;
  return {
    GIT_AUTHOR_NAME: IDENTITY.name,
    GIT_AUTHOR_EMAIL: IDENTITY.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: IDENTITY.name,
    GIT_COMMITTER_EMAIL: IDENTITY.email,
    GIT_COMMITTER_DATE: date,
  };
}

/** In whose name the system commits. */
export const IDENTITY = { name: 'multi-agent', email: 'multi-agent@localhost' } as const;
