import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hostFault } from './host-fault.ts';

/** The text of a file that others may have replaced by anything, empty where it is none: follows no symlink, waits for no FIFO. Throws what `hostFault` says. */
export async function readPlainFile(name: string, maxBytes = 8_000_000): Promise<string> {
  const file = await open(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(absent);
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

/** A file that can't be opened just now is not one that is not there. */
function absent(error: unknown): undefined {
  const fault = hostFault(error);
  if (fault) throw fault;
}
