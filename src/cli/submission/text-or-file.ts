import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf } from '../../shared/errors/errors.ts';
import type { Faults } from './faults.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** The text itself, or with `@path` what the file says. What can't be read is a fault, and undefined. */
export async function textOrFile(option: string, value: string, cwd: string, faults: Faults): Promise<string | undefined> {
  if (!value.startsWith('@')) return value;
  const path = resolve(cwd, value.slice(1));
  try {
    const { size } = await stat(path);
    if (size <= MAX_FILE_BYTES) return await readFile(path, 'utf8');
    faults.add('invalid_input', `${option}: ${path} is larger than ${String(MAX_FILE_BYTES)} bytes`);
  } catch (error) {
    faults.add('invalid_input', `${option}: ${messageOf(error)}`);
  }
  return undefined;
}
