import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { BranchName } from '../../domain/feature.ts';
import type { CommitId } from '../../domain/ids.ts';
import { TerminalError } from '../../errors/errors.ts';
import { hasErrorCode } from '../../git/error-code.ts';
import { createGit, type Git } from '../../git/git.ts';
import { readPlainFile } from '../../git/plain-file.ts';
import { ownerToRunAs } from './ownership.ts';

/** A plain git repository on this host, bare or checked out. */
export interface LocalRepository {
  /** What people call it: the directory that was given, or the main one of a linked worktree. */
  readonly location: string;
  readonly key: string;
  /** Where refs and objects are. */
  readonly commonDir: string;
  /** Where the HEAD is that says the default branch: the worktree's own, if one was given. */
  readonly gitDir: string;
  /** Opens it, as its owner. */
  readonly git: Git;
}

/**
 * Finds the repository at a path; no git process. Throws `TerminalError` `repository_not_found`, `repository_not_readable`,
 * `repository_owner`.
 */
export async function findLocalRepository(directory: string): Promise<LocalRepository> {
  const real = await resolved(directory);
  const gitDir = await gitDirOf(real);
  if (gitDir === null) throw notFound(directory, 'it is no git repository');
  const commonDir = await commonDirOf(gitDir);
  if (!(await hasPlainFiles(gitDir)) || !(await hasPlainFiles(commonDir))) {
    throw new TerminalError('repository_not_readable', `The repository ${directory} has something else where git has a file.`);
  }
  if (await isThere(path.join(commonDir, 'shallow'))) {
    throw new TerminalError(
      'repository_not_readable',
      `The repository ${directory} is a shallow clone; run "git fetch --unshallow" in it first.`,
    );
  }
  // HEAD says nothing there: a tree that has the base checked out would not be noticed, and fall behind.
  if (await isThere(path.join(commonDir, 'reftable'))) {
    throw new TerminalError(
      'repository_not_readable',
      `The repository ${directory} keeps its refs as a reftable; run "git refs migrate --ref-format=files" in it first.`,
    );
  }
  const owner = ownerToRunAs(directory, (await stat(commonDir)).uid, (await stat(commonDir)).gid);
  const location = path.basename(commonDir) === '.git' ? path.dirname(commonDir) : commonDir;
  const git = createGit({
    gitDir: commonDir,
    settings: [`safe.directory=${commonDir}`],
    ...(owner === undefined ? {} : { owner }),
  });
  return { location, key: keyOf(location), commonDir, gitDir, git };
}

/** The branch that HEAD names. Throws `TerminalError` `base_not_found` where it names none. */
export async function headBranch(repository: LocalRepository): Promise<string> {
  const branch = await branchOfHead(repository.gitDir);
  if (branch !== null && BranchName.safeParse(branch).success) return branch;
  throw new TerminalError('base_not_found', `HEAD of ${repository.location} names no branch that can be a base: name one.`);
}

/** The branch a HEAD file names, null for a detached one. */
export async function branchOfHead(gitDir: string): Promise<string | null> {
  const head = await readPlainFile(path.join(gitDir, 'HEAD'));
  return /^ref: refs\/heads\/(\S+)\n?$/.exec(head)?.[1] ?? null;
}

/** Whether git would read files there, and not wait for a FIFO. */
export async function hasPlainFiles(gitDir: string): Promise<boolean> {
  const found = await Promise.all(['HEAD', 'commondir', 'config', 'packed-refs'].map((name) => fileAt(path.join(gitDir, name))));
  return found.every((stats) => stats?.isFile() !== false);
}

/** What branches point at; those that are not there are left out. */
export async function readBranches(git: Git, branches: readonly string[]): Promise<Map<string, CommitId>> {
  const refs = branches.map((branch) => `refs/heads/${branch}`);
  const { stdout } = await git.run(['for-each-ref', '--format=%(objectname) %(refname)', '--', ...refs]);
  const lines = stdout.split('\n').map((line) => /^([0-9a-f]+) refs\/heads\/(.+)$/.exec(line));
  return new Map(
    lines.flatMap((line) =>
      line?.[1] !== undefined && line[2] !== undefined && branches.includes(line[2]) ? [[line[2], line[1]] as const] : [],
    ),
  );
}

async function resolved(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch (error) {
    if (hasErrorCode(error, 'EACCES'))
      throw new TerminalError('repository_not_readable', `The directory ${directory} can't be read.`, { cause: error });
    throw notFound(directory, 'there is no such directory');
  }
}

function notFound(directory: string, why: string): TerminalError {
  return new TerminalError('repository_not_found', `No repository at ${directory}: ${why}.`, { details: { path: directory } });
}

/** `.git` as a directory, or as the file a linked worktree has, or the directory itself when it is bare. */
async function gitDirOf(directory: string): Promise<string | null> {
  const dotGit = path.join(directory, '.git');
  const stats = await stat(dotGit).catch(() => undefined);
  if (stats?.isDirectory() === true) return realpath(dotGit);
  if (stats?.isFile() === true) {
    const target = /^gitdir: ([^\n]+)\n?$/.exec(await readPlainFile(await realpath(dotGit)))?.[1];
    return target === undefined ? null : realpath(path.resolve(directory, target)).catch(() => null);
  }
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((name) => isThere(path.join(directory, name))));
  return parts.every(Boolean) ? directory : null;
}

async function commonDirOf(gitDir: string): Promise<string> {
  const link = await readPlainFile(path.join(gitDir, 'commondir'));
  return link.trim() === '' ? gitDir : realpath(path.resolve(gitDir, link.trim()));
}

/** Readable, safe in paths and keys, and never the same for two repositories. */
function keyOf(location: string): string {
  const slug = path
    .basename(location, '.git')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  const digest = createHash('sha256').update(location).digest('hex').slice(0, 12);
  return `${slug === '' ? 'repository' : slug}-${digest}`;
}

async function isThere(file: string): Promise<boolean> {
  return (await fileAt(file)) !== undefined;
}

async function fileAt(file: string): Promise<Stats | undefined> {
  return stat(file).catch(() => undefined);
}
