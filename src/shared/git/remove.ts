import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** Deletes a directory with all in it, also where its contents forbid that (mode 000). Symlinks are deleted, never followed. */
export async function removeTree(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch {
    await allowRemoval(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

async function allowRemoval(directory: string): Promise<void> {
  const stats = await lstat(directory).catch(() => undefined);
  if (stats?.isDirectory() !== true) return;
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await allowRemoval(path.join(directory, entry.name));
  }
}
