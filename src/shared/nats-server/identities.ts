import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createUser, fromSeed } from '@nats-io/nkeys';
import { identitiesIn, seedFile } from '../config/seed-file.ts';
import type { Identity } from '../messaging/permissions.ts';
import type { NatsUser } from './accounts.ts';

/**
 * The users of these identities, and of all that have a seed in `folder` already: whoever was given one keeps it. Seeds are made where
 * they are missing, each in an owner-only file of its own; one that is there is never changed.
 */
export async function ensureUsers(folder: string, identities: readonly Identity[]): Promise<NatsUser[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const all = [...new Set([...identities, ...(await identitiesIn(folder))])].sort(byNumber);
  return Promise.all(all.map(async (identity) => ({ identity, publicKey: await ensureKey(seedFile(folder, identity)) })));
}

async function ensureKey(path: string): Promise<string> {
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

/** coder-2 before coder-10: the same users always give the same text. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
