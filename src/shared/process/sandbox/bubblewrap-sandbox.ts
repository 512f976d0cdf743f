import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { TerminalError } from '../../errors/errors.ts';
import { findProgram } from '../find-program.ts';
import type { ProcessCommand } from '../start-process.ts';
import { bubblewrapArguments, type SandboxLayout, type SandboxLimits } from './bubblewrap.ts';
import type { Sandbox, SandboxPlace } from './sandbox.ts';
import { seccompFilter } from './seccomp.ts';
import { shownFor } from './visible.ts';

export interface BubblewrapOptions {
  /** Path of `bwrap`. */
  readonly program: string;
  readonly version: string;
  /** Who has it: what root drops to is a user for each. */
  readonly user: string;
  /** Nothing in these is ever shown, but for a run's own folders. */
  readonly hidden: readonly string[];
  /** Paths that every run can read. */
  readonly readable: readonly string[];
  readonly limits: SandboxLimits;
}

const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64'];
/** Of `/etc` what programs look up and what holds no secret: no shadow, no keys, no configuration of git or of package managers. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
];
const MORE_ETC = ['localtime', 'magic', 'mime.types', 'os-release', 'pki/ca-trust', 'pki/tls/certs', 'protocols', 'services', 'ssl/certs'];
const LAST_ETC = ['ssl/openssl.cnf', 'terminfo', 'timezone', 'xml'];
/** Configuration of language runtimes, which Debian keeps there. */
const RUNTIMES = /^(?:java|maven|perl|python)/;
const HOME = '/home/agent';
const TMP = '/tmp';
/**
 * Where the daemon is root: nobody's users, a few hundred, so that two agents hardly share one, and with it the count of its processes. No
 * distribution gives these out, nor does systemd (systemd.io/UIDS-GIDS).
 */
const DROPPED_IDS = { first: 60_600, count: 500 };
/** After stdin, stdout and stderr. */
const FIRST_DESCRIPTOR = 3;
const run = promisify(execFile);

/** A sandbox of bubblewrap: namespaces, a filter of system calls, limits, and for a daemon that is root another user. */
export function bubblewrapSandbox(options: BubblewrapOptions): Sandbox {
  const user = userInside(options.user);
  const files = filesFor(user);
  const filter = seccompFilter();
  const inputs = [...files.map(({ content }) => Buffer.from(content)), ...(filter === undefined ? [] : [filter])];
  const common: Pick<SandboxLayout, 'etc' | 'files' | 'home' | 'limits' | 'system' | 'user'> & { seccompDescriptor?: number } = {
    etc: etcShown(),
    files: files.map(({ path }, index) => ({ path, descriptor: FIRST_DESCRIPTOR + index })),
    home: HOME,
    limits: options.limits,
    system: systemFolders(),
    user,
    ...(filter === undefined ? {} : { seccompDescriptor: FIRST_DESCRIPTOR + files.length }),
  };
  return {
    description: `bubblewrap ${options.version}${filter === undefined ? ', without a filter of system calls' : ''}`,
    isolates: true,
    enter: async (place) => {
      if (user.drop) await giveTo(user, place.writable);
      const wrap = (command: ProcessCommand): ProcessCommand => ({
        ...command,
        argv: [options.program, ...bubblewrapArguments(layoutFor(command, place, options, common)), ...command.argv],
        inputs,
      });
      return { wrap, folders: { home: HOME, tmp: TMP } };
    },
  };
}

function layoutFor(
  command: ProcessCommand,
  place: SandboxPlace,
  { readable, hidden }: BubblewrapOptions,
  common: Omit<SandboxLayout, 'cwd' | 'readable' | 'shown' | 'writable'>,
): SandboxLayout {
  const [program] = command.argv;
  const path = command.env['PATH'] ?? '';
  if (!program.includes('/') && findProgram(program, path) === undefined)
    throw new TerminalError('program_not_found', `${program} was not found on PATH`);
  // A word with a slash that comes out of a repository is looked up inside, and nothing is shown for it.
  const words = place.operatorWords ?? (program.includes('/') ? [] : [program]);
  return {
    ...common,
    cwd: command.cwd,
    shown: shownFor({ argv: words, path, hidden }),
    readable: [...readable, ...(place.readable ?? [])],
    writable: place.writable,
  };
}

function userInside(name: string): SandboxLayout['user'] {
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()];
  if (uid !== 0) return { uid, gid, drop: false };
  const id = DROPPED_IDS.first + (createHash('sha256').update(name).digest().readUInt32BE() % DROPPED_IDS.count);
  return { uid: id, gid: id, drop: true };
}

/** What it looks itself, its host and its names up in. */
function filesFor({ uid, gid }: SandboxLayout['user']): { path: string; content: string }[] {
  return [
    { path: '/etc/passwd', content: `agent:x:${String(uid)}:${String(gid)}:agent:${HOME}:/bin/sh\n` },
    { path: '/etc/group', content: `agent:x:${String(gid)}:\n` },
    { path: '/etc/hosts', content: '127.0.0.1 localhost sandbox\n::1 localhost\n' },
    { path: '/etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
  ];
}

function systemFolders(): SandboxLayout['system'] {
  return SYSTEM.filter((path) => existsSync(path)).map((path) =>
    lstatSync(path).isSymbolicLink() ? { path, target: readlinkSync(path) } : { path },
  );
}

function etcShown(): string[] {
  const names = readdirSync('/etc').filter((name) => RUNTIMES.test(name));
  return [...ETC, ...MORE_ETC, ...LAST_ETC, ...names].map((name) => `/etc/${name}`);
}

/**
 * The folders a run writes belong to who it runs as, with all that is in them. What did before is not touched, so that git need not read it
 * again; only a workspace that another agent had is given away as a whole.
 */
async function giveTo({ uid, gid }: SandboxLayout['user'], folders: readonly string[]): Promise<void> {
  const owners = await Promise.all(folders.map(async (folder) => (await stat(folder)).uid));
  const others = folders.filter((_folder, index) => owners[index] !== uid && owners[index] !== 0);
  const ours = folders.filter((folder) => !others.includes(folder));
  const give = (words: readonly string[], to: readonly string[]): Promise<unknown> =>
    to.length === 0
      ? Promise.resolve()
      : run('/bin/chown', ['--recursive', '--no-dereference', ...words, `${String(uid)}:${String(gid)}`, '--', ...to]);
  await Promise.all([give([], others), give(['--from=0'], ours)]);
}
