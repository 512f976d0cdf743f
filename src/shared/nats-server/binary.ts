import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf, UnreachableError } from '../errors/errors.ts';
import { withFileLock } from '../lifecycle/file-lock.ts';
import { takeFromPackageManager } from './package-manager.ts';
import { fetchRelease, PINNED_RELEASE } from './release.ts';
import { isAtLeast, OLDEST_NATS_SERVER, versionOfBinary } from './version.ts';

export interface NatsServerBinary {
  readonly path: string;
  /** For instance `2.9.10`. */
  readonly version: string;
  readonly source: 'path' | 'cache' | 'release' | 'package';
}

export interface FindNatsServerOptions {
  /** `MULTI_AGENT_HOME`: a fetched binary is kept in its `bin` folder. */
  readonly home: string;
  /** Told when something is about to be fetched, for a person to read. */
  readonly log?: (message: string) => void;
  /** Folders to look in, separated as in PATH. Default: PATH, then the system folders that an ordinary user's PATH leaves out. */
  readonly searchPath?: string;
  /** The ways to get one, tried in order. Default: the pinned release, then the package manager. */
  readonly sources?: readonly NatsServerSource[];
}

/** A way to get a binary: puts it into `folder` and returns its path, or throws why it can't. */
export interface NatsServerSource {
  readonly name: 'release' | 'package';
  fetch(folder: string): Promise<string>;
}

const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/local/sbin', '/usr/sbin', '/usr/bin', '/opt/homebrew/bin'];

const SOURCES: readonly NatsServerSource[] = [
  { name: 'release', fetch: (folder) => fetchRelease(PINNED_RELEASE, folder) },
  { name: 'package', fetch: takeFromPackageManager },
];

/**
 * A nats-server of 2.9.10 or newer: from PATH, else the one fetched earlier, else fetched now. Two processes fetching at once end with one binary.
 *
 * @throws UnreachableError `nats_server_missing`, saying what was tried and what to install.
 */
export async function findOrFetchNatsServer(options: FindNatsServerOptions): Promise<NatsServerBinary> {
  const folder = join(options.home, 'bin');
  const found = (await onPath(options.searchPath ?? defaultSearchPath())) ?? (await usable(join(folder, 'nats-server'), 'cache'));
  if (found !== undefined) return found;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return withFileLock(join(folder, '.fetch.lock'), async () => {
    return (await usable(join(folder, 'nats-server'), 'cache')) ?? (await fetchAny(folder, options));
  });
}

/** A nats-server that is there already, on PATH or fetched earlier; fetches nothing. */
export async function findNatsServer(home: string): Promise<NatsServerBinary | undefined> {
  return (await onPath(defaultSearchPath())) ?? (await usable(join(home, 'bin', 'nats-server'), 'cache'));
}

function defaultSearchPath(): string {
  return [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].join(delimiter);
}

async function onPath(searchPath: string): Promise<NatsServerBinary | undefined> {
  const folders = new Set(searchPath.split(delimiter).filter((folder) => folder.startsWith('/')));
  for (const folder of folders) {
    const binary = await usable(join(folder, 'nats-server'), 'path');
    if (binary !== undefined) return binary;
  }
  return undefined;
}

async function usable(path: string, source: NatsServerBinary['source']): Promise<NatsServerBinary | undefined> {
  if (
    !(await access(path, constants.X_OK).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  const version = await versionOfBinary(path);
  return version !== undefined && isAtLeast(version, OLDEST_NATS_SERVER) ? { path, version, source } : undefined;
}

async function fetchAny(folder: string, { log, sources = SOURCES }: FindNatsServerOptions): Promise<NatsServerBinary> {
  const faults: string[] = [];
  for (const source of sources) {
    try {
      log?.(`no nats-server on PATH; fetching one (${source.name}) into ${folder}`);
      const binary = await usable(await source.fetch(folder), source.name);
      if (binary !== undefined) return binary;
      faults.push(`${source.name}: what it gave does not run, or is older than ${OLDEST_NATS_SERVER}`);
    } catch (error) {
      faults.push(`${source.name}: ${messageOf(error).split('\n')[0] ?? ''}`);
    }
  }
  const advice =
    process.platform === 'darwin'
      ? '`brew install nats-server`'
      : '`apt-get install nats-server`, or a release from https://github.com/nats-io/nats-server/releases';
  throw new UnreachableError(
    'nats_server_missing',
    `no nats-server ${OLDEST_NATS_SERVER} or newer was found or could be fetched (${faults.join('; ')}). ` +
      `Install one (${advice}) so that it is on PATH, or point NATS_URL at a server of your own.`,
    { details: { faults } },
  );
}
