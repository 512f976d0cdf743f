import { readFile, writeFile } from 'node:fs/promises';
import { createUser, fromSeed } from '@nats-io/nkeys';

/**
 * The public key of the embedded server's user. Its seed is written to `path`, owner-only, the first time; later calls read it.
 * Called before the server's first start: it never listens without demanding this key.
 */
export async function ensureCredential(path: string): Promise<string> {
  const user = createUser();
  try {
    // `wx`: of two at once one writes, the other reads what that one wrote.
    await writeFile(path, user.getSeed(), { mode: 0o600, flag: 'wx' });
    return user.getPublicKey();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const seed = (await readFile(path, 'utf8')).trim();
    return fromSeed(new TextEncoder().encode(seed)).getPublicKey();
  }
}
