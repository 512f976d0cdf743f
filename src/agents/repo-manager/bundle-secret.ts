import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SECRET_BYTES = 32;

/** The secret of this home's repo-managers, made the first time; owner-only. Two that start at once end up with the same one. */
export async function bundleSecret(runFolder: string): Promise<Buffer> {
  const file = join(runFolder, 'bundle.key');
  const mine = `${file}.${String(process.pid)}`;
  await writeFile(mine, randomBytes(SECRET_BYTES).toString('base64'), { mode: 0o600 });
  try {
    await link(mine, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(mine, { force: true });
  }
  return Buffer.from(await readFile(file, 'utf8'), 'base64');
}
