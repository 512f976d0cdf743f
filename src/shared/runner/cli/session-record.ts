import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Which conversation of a CLI goes on in the next round. */
export const SessionRecord = z.object({
  /** The runner's kind: another CLI knows nothing of it. */
  cli: z.string(),
  sessionId: z.string().regex(/^\w[\w.-]{0,199}$/),
  /** Where the CLI ran. */
  cwd: z.string(),
  version: z.string().optional(),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

const FILE = 'session.json';

/** The record of this CLI in a task's `sessions`; undefined where there is none that can be used. */
export async function readSession(sessions: string, cli: string): Promise<SessionRecord | undefined> {
  try {
    const record = SessionRecord.parse(JSON.parse(await readFile(join(sessions, FILE), 'utf8')));
    return record.cli === cli ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the record as a whole. The file lies beside what the CLI may write, and never in it: we follow no link that it left. */
export async function writeSession(sessions: string, record: SessionRecord): Promise<void> {
  const temporary = join(sessions, `${FILE}.${randomUUID()}`);
  await writeFile(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(temporary, join(sessions, FILE));
}

/** The next round begins a new conversation. */
export async function forgetSession(sessions: string): Promise<void> {
  await rm(join(sessions, FILE), { force: true });
}
