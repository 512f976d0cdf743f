import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { HomePaths } from '../config/home.ts';
import { CORE_ACCOUNT } from './accounts.ts';

/** The account of whoever has none: where a server without accounts keeps its streams. */
const GLOBAL_ACCOUNT = '$G';

/**
 * Hands the streams of a home whose server had no accounts yet to the account they belong to now. A server keeps each account's streams in a
 * folder of that name, and its name nowhere else. Only while the server is down; nothing happens where there is nothing to hand over.
 */
export async function adoptGlobalAccount(paths: HomePaths): Promise<void> {
  const folderOf = (account: string): string => join(paths.nats, 'jetstream', account);
  if ((await exists(folderOf(CORE_ACCOUNT))) || !(await exists(folderOf(GLOBAL_ACCOUNT)))) return;
  await rename(folderOf(GLOBAL_ACCOUNT), folderOf(CORE_ACCOUNT));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
