import { readdir, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ownerOf, removeWorkspace, type WorkspaceOwner } from './workspace-owner.ts';

export interface FoundWorkspace {
  /** `<taskId>.<attempt>` */
  readonly name: string;
  readonly directory: string;
  readonly owner: WorkspaceOwner;
}

/** Long enough to be sure that nobody is just making or removing it. */
const OWNERLESS_MS = 60_000;

/** The workspaces in use, being made or left over, in order of name. */
export async function listWorkspaces(home: string): Promise<FoundWorkspace[]> {
  const found = await Promise.all((await directories(home)).map(async (directory) => ({ directory, owner: await ownerOf(directory) })));
  return found.flatMap(({ directory, owner }) => (owner === undefined ? [] : [{ name: path.basename(directory), directory, owner }]));
}

/**
 * Deletes the workspaces for which `isLeftOver` says yes, for instance those of an agent's earlier incarnation; the empty directories that are
 * left of one that was all but deleted; and what has had no owner for over a minute (its file was lost with the machine's power). Gives the
 * names of what it deleted.
 */
export async function sweepWorkspaces(home: string, isLeftOver: (workspace: FoundWorkspace) => boolean): Promise<string[]> {
  const removed: string[] = [];
  for (const directory of await directories(home)) {
    const owner = await ownerOf(directory);
    const name = path.basename(directory);
    const isGone = owner === undefined && (await removedEmpty(directory));
    const isToGo = owner === undefined ? await isOld(directory) : isLeftOver({ name, directory, owner });
    if (isToGo) await removeWorkspace(directory);
    if (isGone || isToGo) removed.push(name);
  }
  return removed;
}

async function directories(home: string): Promise<string[]> {
  const names = await readdir(path.join(home, 'worktrees')).catch(() => []);
  return names.sort().map((name) => path.join(home, 'worktrees', name));
}

/** Never more than an empty directory: what its owner has put in its place meanwhile stays. */
async function removedEmpty(directory: string): Promise<boolean> {
  return rmdir(directory).then(
    () => true,
    () => false,
  );
}

async function isOld(directory: string): Promise<boolean> {
  return stat(directory).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > OWNERLESS_MS,
    () => false,
  );
}
