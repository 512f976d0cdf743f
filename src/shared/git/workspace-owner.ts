import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { removeTree } from './remove.ts';

/** Whose workspace it is: what `owner.json` in it says. */
export interface WorkspaceOwner {
  readonly agentId: string;
  /** Empty where the workspace was only begun. */
  readonly incarnation: string;
  readonly pid: number;
}

export const OWNER_FILE = 'owner.json';

const OwnerFile = z.object({ agentId: z.string(), incarnation: z.string(), pid: z.number() });
const HALF_MADE = /^\.new-(?<agentId>.+)-(?<pid>\d+)-.{6}$/s;

/** What the name of a directory starts with that is still being made: before it has a file, its name says whose it is. */
export function halfMadePrefix({ agentId, pid }: WorkspaceOwner): string {
  return `.new-${agentId}-${String(pid)}-`;
}

/** Undefined only where somebody else made the directory, or where nothing more of it is left than an empty directory. */
export async function ownerOf(directory: string): Promise<WorkspaceOwner | undefined> {
  try {
    return OwnerFile.parse(JSON.parse(await readFile(path.join(directory, OWNER_FILE), 'utf8')));
  } catch {
    const name = HALF_MADE.exec(path.basename(directory))?.groups;
    return name && { agentId: name['agentId'] ?? '', incarnation: '', pid: Number(name['pid']) };
  }
}

/** Deletes a workspace, the owner's file last: whatever a crash leaves of it still says whose it was. */
export async function removeWorkspace(directory: string): Promise<void> {
  const stats = await lstat(directory).catch(() => undefined);
  const names = stats?.isDirectory() === true ? await readdir(directory).catch(() => []) : [];
  for (const name of names) if (name !== OWNER_FILE) await removeTree(path.join(directory, name));
  await removeTree(directory);
}
