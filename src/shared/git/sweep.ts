import { readdir, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive } from '../process/process-table.ts';
import { MAKING, PUBLIC_PREFIX, sweepAside } from './aside.ts';
import { ownerOf, removeWorkspace, type WorkspaceOwner } from './workspace-owner.ts';

export interface FoundWorkspace {
  /** `<taskId>.<attempt>.<agentId>` */
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

/**
 * Deletes what processes that are gone have made and not put in its place: repositories, refs, facts of change requests, and what lay in the folder for temporary files.
 * For the start of a process that has made nothing yet: what carries its own pid is an earlier one's. Gives the names.
 */
export async function sweepBegun(home: string): Promise<string[]> {
  const isGone = (pid: number): boolean => pid === process.pid || !isAlive(pid);
  const folders = ['mirrors', 'repositories'].map((name) => path.join(home, name));
  const repositories = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => path.join(folder, name))),
  );
  const forge = path.join(home, 'forge');
  const facts = (await readdir(forge).catch(() => [])).map((name) => path.join(forge, name, MAKING));
  const swept = [await sweepAside(tmpdir(), { prefix: PUBLIC_PREFIX, isGone })];
  for (const directory of [...folders, ...repositories.flat(), ...facts]) swept.push(await sweepAside(directory, { isGone }));
  return swept.flat();
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
