import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, realpath, unlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { TerminalError } from '../errors/errors.ts';

/** A file of a workspace, with every link on the way to it resolved. Its directory may not exist yet. */
export interface WorkspaceFile {
  /** The text, or undefined where there is no such file. */
  read(): Promise<string | undefined>;
  /** Replaces the file, or makes it together with its directories. */
  write(text: string): Promise<void>;
  /** Removes the file (a link itself, not what it points to); does nothing where there is none. */
  remove(): Promise<void>;
}

/** What is wrong with a path as one of a file in a workspace; undefined when nothing is. */
export function faultOfPath(path: string): string | undefined {
  const parts = path.split(/[/\\]/);
  if (path === '' || path.includes('\0')) return 'is not a path';
  if (isAbsolute(path)) return 'must be relative to the workspace';
  if (parts.includes('..')) return 'leads out of the workspace';
  // Also what a file system that ignores case or trailing dots takes for it.
  if (parts.some((part) => isGitName(part))) return 'lies in .git';
  return parts.at(-1) === '' || parts.at(-1) === '.' ? 'names no file' : undefined;
}

/**
 * Opens a path of a workspace for our own code, which must not be led out by a link that the repository or a runner
 * planted: the parent's real path has to lie inside, outside of `.git`, and the file itself may be no link.
 *
 * Throws `TerminalError` `path_refused`, here and in `read` and `write`.
 */
export async function openWorkspaceFile(workspace: string, path: string): Promise<WorkspaceFile> {
  const fault = faultOfPath(path);
  if (fault !== undefined) throw refused(path, fault);
  const root = await realpath(workspace);
  const parent = await existingParent(root, path);
  const inside = relative(root, parent);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) throw refused(path, 'leads out of the workspace');
  if (inside.split(sep).some((part) => isGitName(part))) throw refused(path, 'lies in .git');
  if ((await statOf(parent))?.isDirectory() !== true) throw refused(path, 'goes through a file');
  const file = join(root, path);
  return {
    read: async () => ((await plainFile(file, path)) === undefined ? undefined : readNoFollow(file)),
    write: async (text) => {
      await plainFile(file, path);
      await mkdir(dirname(file), { recursive: true });
      const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW);
      await handle.writeFile(text).finally(() => handle.close());
    },
    remove: async () => {
      if ((await statOf(file)) !== undefined) await unlink(file);
    },
  };
}

/** The real path of the nearest directory on the way to the file that exists. */
async function existingParent(root: string, path: string): Promise<string> {
  for (let directory = dirname(join(root, path)); ; directory = dirname(directory)) {
    if ((await statOf(directory)) === undefined) continue;
    // A link to nowhere exists as a link, and has no real path.
    return realpath(directory).catch((cause: unknown) => {
      throw refused(path, 'goes through a broken link', cause);
    });
  }
}

async function plainFile(file: string, path: string): Promise<Stats | undefined> {
  const stats = await statOf(file);
  if (stats !== undefined && !stats.isFile()) throw refused(path, stats.isSymbolicLink() ? 'is a symbolic link' : 'is no plain file');
  return stats;
}

async function readNoFollow(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  return handle.readFile('utf8').finally(() => handle.close());
}

async function statOf(file: string): Promise<Stats | undefined> {
  return lstat(file).catch(() => undefined);
}

function isGitName(name: string): boolean {
  return /^(?:\.git|git~1)$/i.test(name.replace(/[ .]+$/, ''));
}

function refused(path: string, fault: string, cause?: unknown): TerminalError {
  return new TerminalError('path_refused', `the path "${path}" ${fault}`, { cause, details: { path } });
}
