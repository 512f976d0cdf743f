import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommitId } from '../domain/ids.ts';
import { createGit, type Git } from './git.ts';
import { withHostFaults } from './host-fault.ts';
import { checkOut, cleanTree } from './checkout.ts';
import { giveToPool, takeFromPool } from './pool.ts';
import { removeTree } from './remove.ts';
import { makeThrowawayGit } from './throwaway-git.ts';
import { halfMadePrefix, OWNER_FILE, removeWorkspace, type WorkspaceOwner } from './workspace-owner.ts';

export interface WorkspaceRequest {
  /** `MULTI_AGENT_HOME` */
  readonly home: string;
  readonly repoKey: string;
  /** The agent's bare cache of the repository; has `commit` and `tree`. */
  readonly cacheGitDir: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly owner: WorkspaceOwner;
  /** What the runner's own git is at. */
  readonly commit: CommitId;
  /** What the work starts from, where it is not the commit's tree: a merge with conflict markers. */
  readonly tree?: string;
  /** What is checked out, where that is not where the work starts: what an earlier attempt had done so far. */
  readonly left?: string;
}

export interface Workspace {
  /** `<home>/worktrees/<taskId>.<attempt>.<agentId>` */
  readonly directory: string;
  /** The runner's working directory. */
  readonly tree: string;
  /** For the runner's own files, outside the tree. */
  readonly scratch: string;
  /** Where the runner's own git finds objects that its tree's `.git` lacks. */
  readonly objects: string;
  /** Our view of the tree: our repository, our index. */
  readonly git: Git;
  readonly commit: CommitId;
  /** What was checked out: the commit, or the tree of a merge with conflict markers. */
  readonly start: string;
  /** Whether it came out of the pool. */
  readonly reused: boolean;
  /**
   * Gives it up. `normal`: cleaned and back to the pool of at most 2 for each repository; anything else: deleted. Never
   * throws for a tree that can't be cleaned: that one is deleted. Idempotent.
   */
  release(how: 'normal' | 'abandoned'): Promise<void>;
}

/**
 * Makes a workspace for one attempt at a task, out of the pool where there is one. Whatever is left of the same agent's same attempt is
 * deleted first: a half-made workspace is never repaired. Throws what `hostFault` says.
 */
export function takeWorkspace(request: WorkspaceRequest): Promise<Workspace> {
  return withHostFaults(() => makeWorkspace(request));
}

async function makeWorkspace(request: WorkspaceRequest): Promise<Workspace> {
  const directory = workspacePath(request);
  await makeDirectory(directory, request.owner);
  try {
    return await fillWorkspace(directory, request);
  } catch (error) {
    await removeWorkspace(directory);
    throw error;
  }
}

/**
 * An agent has one attempt in hand, so that with its id the name is one of those alive: attempts are numbered by the claim, and where a claim
 * was removed, or a killed server lost it, a number comes again while the one that had it still works.
 */
function workspacePath({ home, taskId, attempt, owner }: WorkspaceRequest): string {
  return path.join(home, 'worktrees', `${taskId}.${String(attempt)}.${owner.agentId}`);
}

/** It is never seen without its owner, so that a sweep can't take it for a crashed one. */
async function makeDirectory(directory: string, owner: WorkspaceOwner): Promise<void> {
  await removeWorkspace(directory);
  await mkdir(path.dirname(directory), { recursive: true, mode: 0o700 });
  const temporary = await mkdtemp(path.join(path.dirname(directory), halfMadePrefix(owner)));
  await writeFile(path.join(temporary, OWNER_FILE), JSON.stringify(owner));
  await mkdir(path.join(temporary, 'scratch'), { mode: 0o700 });
  await rename(temporary, directory);
}

async function fillWorkspace(directory: string, request: WorkspaceRequest): Promise<Workspace> {
  const reused = await takeFromPool(request.home, request.repoKey, directory);
  const git = gitOf(directory, request.cacheGitDir);
  const start = request.tree ?? request.commit;
  const content = request.left ?? start;
  if (!reused || !(await tryCheckOut(git, content))) await checkOutAnew(directory, git, content);
  await makeThrowawayGit(path.join(directory, 'tree'), request.cacheGitDir, path.join(directory, 'index'), request.commit);
  return workspaceOf(directory, git, start, reused, request);
}

/** What comes out of the pool was cleaned before it went in, after the last process of its run was ended. */
async function tryCheckOut(git: Git, tree: string): Promise<boolean> {
  return checkOut(git, tree, { known: 'clean' }).then(
    () => true,
    () => false,
  );
}

async function checkOutAnew(directory: string, git: Git, tree: string): Promise<void> {
  await removeTree(path.join(directory, 'tree'));
  await rm(path.join(directory, 'index'), { force: true });
  await rm(path.join(directory, 'index.lock'), { force: true });
  await mkdir(path.join(directory, 'tree'), { mode: 0o700 });
  await checkOut(git, tree, { known: 'empty' });
}

function workspaceOf(directory: string, git: Git, start: string, reused: boolean, request: WorkspaceRequest): Workspace {
  const { home, repoKey, commit } = request;
  let released = false;
  return {
    directory,
    tree: path.join(directory, 'tree'),
    scratch: path.join(directory, 'scratch'),
    objects: path.join(request.cacheGitDir, 'objects'),
    git,
    commit,
    start,
    reused,
    release: async (how) => {
      if (released) return;
      released = true;
      if (how === 'normal' && (await isCleaned(git, start))) await giveToPool(home, repoKey, directory);
      await removeWorkspace(directory);
    },
  };
}

async function isCleaned(git: Git, tree: string): Promise<boolean> {
  return cleanTree(git, tree).then(
    () => true,
    () => false,
  );
}

function gitOf(directory: string, cacheGitDir: string): Git {
  return createGit({ gitDir: cacheGitDir, workTree: path.join(directory, 'tree'), indexFile: path.join(directory, 'index') });
}
