import type { Dirent } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';

const READ_BY_GIT = ['.gitattributes', '.gitignore'];
const SLASH = Buffer.from('/');

/**
 * Removes what git would wait at for ever: it opens files of these names in every folder of a tree, and a runner may have made one a FIFO.
 * Such a one is no content, so nothing of a change is lost. Names are bytes: not all of them are UTF-8.
 */
export async function removeBlockingFiles(tree: string): Promise<void> {
  await removeFrom(Buffer.from(tree), true);
}

async function removeFrom(directory: Buffer, isRoot: boolean): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    const name = entry.name.toString('latin1');
    const file = Buffer.concat([directory, SLASH, entry.name]);
    if (entry.isDirectory()) await (isRoot && name === '.git' ? undefined : removeFrom(file, false));
    else if (READ_BY_GIT.includes(name) && !entry.isFile() && !entry.isSymbolicLink()) await unlink(file);
  }
}

/** None of a folder that can't be read: git doesn't get into it either. */
async function entriesOf(directory: Buffer): Promise<Dirent<Buffer>[]> {
  return readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
}
