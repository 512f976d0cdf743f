import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

const MARKER = /^(?:<{7}|\|{7}|>{7})(?: |\r?$)/m;

/** Which of these files still hold conflict markers. What is no plain file (any more) holds none. */
export async function leftConflictMarkers(tree: string, paths: readonly string[]): Promise<string[]> {
  const marked = await Promise.all(paths.map(async (name) => MARKER.test(await readPlainFile(path.join(tree, name)))));
  return paths.filter((_, at) => marked[at] === true);
}

/** The text of a file that a runner may have replaced by anything: follows no symlink, waits for no FIFO. */
export async function readPlainFile(name: string, maxBytes = 8_000_000): Promise<string> {
  const file = await open(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size === 0) return '';
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(stats.size, maxBytes)), 0, undefined, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
