import { link, readFile, rm, writeFile } from 'node:fs/promises';

/**
 * The content of an owner-only file that is written once: made the first time, the same ever after. Of several processes that
 * make it at once all end up with the content of the first.
 */
export async function onceFile(file: string, make: () => string): Promise<string> {
  const mine = `${file}.${String(process.pid)}`;
  await writeFile(mine, make(), { mode: 0o600 });
  try {
    await link(mine, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(mine, { force: true });
  }
  return readFile(file, 'utf8');
}
