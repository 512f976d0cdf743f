import { dirname } from 'node:path';
import type { Shown } from './visible.ts';

/** What a run finds inside: everything else of the machine is not there. */
export interface SandboxLayout {
  /** Where the command starts. */
  readonly cwd: string;
  /** Shown read-only where they are. */
  readonly shown: readonly Shown[];
  /** Folders that can be read, where they are. */
  readonly readable: readonly string[];
  /** Folders that can be written, where they are. */
  readonly writable: readonly string[];
  /** The run's own home: empty, in memory. */
  readonly home: string;
  /** Of `/etc`: none that holds a secret. */
  readonly etc: readonly string[];
  /** Folders of the system: links as they are outside, or folders. */
  readonly system: readonly { readonly path: string; readonly target?: string }[];
  /** Who it runs as. `drop` where the daemon is root, which no code of a repository is to be. */
  readonly user: { readonly uid: number; readonly gid: number; readonly drop: boolean };
  readonly limits: SandboxLimits;
  /** The files that are made for it, by their path; given to bubblewrap on these descriptors. */
  readonly files: readonly { readonly path: string; readonly descriptor: number }[];
  readonly seccompDescriptor?: number;
}

export interface SandboxLimits {
  /** Processes and threads at one time. */
  readonly processes: number;
  /** The largest file it may write (bytes). */
  readonly fileBytes: number;
  /** The processor time of one process (seconds). */
  readonly cpuSeconds: number;
  /** The size of `/tmp`, of the home, and of shared memory (bytes each). */
  readonly memoryFileBytes: number;
  /** Open files of one process. */
  readonly openFiles: number;
}

/**
 * The words before a command that have bubblewrap run it: namespaces of its own for users, processes, network, messages and names; the system
 * read-only; no capability, no way to a terminal, and an end together with whoever started it. Nothing of it is secret: others can read a command line.
 */
export function bubblewrapArguments(layout: SandboxLayout): string[] {
  const { user, limits, files, seccompDescriptor } = layout;
  return [
    ...(user.drop ? ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'] : ['--unshare-all']),
    ...(user.drop ? ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP'] : []),
    ...['--die-with-parent', '--new-session', '--hostname', 'sandbox', '--chdir', '/'],
    ...layout.system.flatMap(({ path, target }) => (target === undefined ? ['--ro-bind', path, path] : ['--symlink', target, path])),
    ...ancestorsOf(layout.etc).flatMap(folder),
    ...layout.etc.flatMap((path) => ['--ro-bind-try', path, path]),
    ...files.flatMap(({ path, descriptor }) => ['--perms', '0444', '--ro-bind-data', String(descriptor), path]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...inMemory('/dev/shm', limits),
    ...inMemory('/tmp', limits),
    ...ancestorsOf([...layout.shown.map(({ path }) => path), ...layout.readable, ...layout.writable, layout.home]).flatMap(folder),
    ...layout.shown.flatMap((one) => (one.kind === 'bind' ? ['--ro-bind-try', one.path, one.path] : ['--symlink', one.target, one.path])),
    ...layout.readable.flatMap((path) => ['--ro-bind', path, path]),
    ...layout.writable.flatMap((path) => ['--bind', path, path]),
    ...inMemory(layout.home, limits),
    // Both lie in memory without a size, and are an ordinary user's own.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...(seccompDescriptor === undefined ? [] : ['--seccomp', String(seccompDescriptor)]),
    '--',
    ...(user.drop ? dropTo(user) : []),
    // By who it runs as: root without its privileges can't go into a folder of another user's. Before a word of ours: it takes `a=b` for a variable.
    ...['/usr/bin/env', `--chdir=${layout.cwd}`],
    ...limitedBy(limits),
  ];
}

/** Whoever root drops to has to be able to go through it: made on the way to something, it would be root's alone. */
function folder(path: string): string[] {
  return ['--perms', '0755', '--dir', path];
}

/** Outermost first, each once. */
function ancestorsOf(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) for (let above = dirname(path); dirname(above) !== above; above = dirname(above)) found.add(above);
  return [...found].sort((one, other) => one.length - other.length);
}

/** `/tmp` as everybody's, so that the user that root drops to can write there as well. */
function inMemory(path: string, { memoryFileBytes }: SandboxLimits): string[] {
  return ['--perms', '1777', '--size', String(memoryFileBytes), '--tmpfs', path];
}

function dropTo({ uid, gid }: SandboxLayout['user']): string[] {
  const words = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
  return ['/usr/bin/setpriv', ...words, '--no-new-privs', '--'];
}

/** Not even for a program that the host hands cores to: 0 does not keep the kernel from that, 1 does (do_coredump in fs/coredump.c). */
const CORE = 1;

/** Inside, so that processes are counted inside (where the kernel counts by namespace, from 5.14 on). */
function limitedBy({ processes, fileBytes, cpuSeconds, openFiles }: SandboxLimits): string[] {
  const limits = { nproc: processes, fsize: fileBytes, cpu: cpuSeconds, nofile: openFiles, core: CORE };
  return ['/usr/bin/prlimit', ...Object.entries(limits).map(([name, value]) => `--${name}=${String(value)}:${String(value)}`), '--'];
}
