import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onceFile } from '../../shared/config/once-file.ts';

const SECRET_BYTES = 32;

/** The secret of this home's repo-managers. Two that start at once have the same one. */
export async function bundleSecret(runFolder: string): Promise<Buffer> {
  return Buffer.from(await onceFile(join(runFolder, 'bundle.key'), () => randomBytes(SECRET_BYTES).toString('base64')), 'base64');
}
