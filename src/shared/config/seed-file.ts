import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Identity } from '../messaging/permissions.ts';

const SEED_FILE = /^(provisioner|operator|(?:repo-manager|coder|reviewer)-[1-9]\d{0,4})\.nk$/;

/** The file with the secret nkey seed of an identity. */
export function seedFile(folder: string, identity: Identity): string {
  return join(folder, `${identity}.nk`);
}

/** Whose seed that is, by the file's name; undefined for one that says nobody's. */
export function identityOfSeed(file: string): Identity | undefined {
  return SEED_FILE.exec(basename(file))?.[1];
}

/** Where another identity's seed would be; undefined for a file that is everybody's. */
export function seedBeside(file: string, identity: Identity): string | undefined {
  return identityOfSeed(file) === undefined ? undefined : seedFile(dirname(file), identity);
}

/** The identities that have a seed in a folder. */
export async function identitiesIn(folder: string): Promise<Identity[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => identityOfSeed(name) ?? []);
}
