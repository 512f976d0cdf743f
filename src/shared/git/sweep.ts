import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { removeTree } from './remove.ts';
import type { WorkspaceOwner } from './workspace.ts';

const OwnerFile = z.object({ agentId: z.string(), incarnation: z.string(), pid: z.number() });

export interface FoundWorkspace {
  /** `<taskId>.<attempt>` */
  readonly name: string;
  readonly directory: string;
  readonly owner: WorkspaceOwner;
}

/** A directory that is still being made has no owner for a moment. */
const HALF_MADE_MS = 60_000;

/** The workspaces in use or left over, in order of name. */
export async function listWorkspaces(home: string): Promise<FoundWorkspace[]> {
  const found = await Promise.all((await directories(home)).map(async (directory) => ({ directory, owner: await ownerOf(directory) })));
  return found.flatMap(({ directory, owner }) => (owner === undefined ? [] : [{ name: path.basename(directory), directory, owner }]));
}

/**
 * Deletes the workspaces for which `isLeftOver` says yes, for instance those of an agent's earlier incarnation, and those
 * that nobody owns (half made by something that crashed over a minute ago). Gives the names of what it deleted.
 */
export async function sweepWorkspaces(home: string, isLeftOver: (workspace: FoundWorkspace) => boolean): Promise<string[]> {
  const removed: string[] = [];
  for (const directory of await directories(home)) {
    const owner = await ownerOf(directory);
    const name = path.basename(directory);
    const leftOver = owner === undefined ? await isOld(directory) : isLeftOver({ name, directory, owner });
    if (!leftOver) continue;
    await removeTree(directory);
    removed.push(name);
  }
  return removed;
}

async function directories(home: string): Promise<string[]> {
  const names = await readdir(path.join(home, 'worktrees')).catch(() => []);
  return names.sort().map((name) => path.join(home, 'worktrees', name));
}

async function ownerOf(directory: string): Promise<WorkspaceOwner | undefined> {
  try {
    return OwnerFile.parse(JSON.parse(await readFile(path.join(directory, 'owner.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

async function isOld(directory: string): Promise<boolean> {
  return stat(directory).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > HALF_MADE_MS,
    () => false,
  );
}
