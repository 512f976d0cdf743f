import { createHash } from 'node:crypto';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { CommitId, Instant } from '../domain/ids.ts';
import { IDENTITY } from './environment.ts';
import { hasErrorCode } from './error-code.ts';
import type { Git } from './git.ts';
import { withHostFaults } from './host-fault.ts';

const deflated = promisify(deflate);

export interface CommitContent {
  readonly tree: string;
  readonly parents: readonly CommitId[];
  readonly message: string;
  /** Author's and committer's date, in milliseconds. */
  readonly at: Instant;
}

/**
 * Writes a commit by "multi-agent" and gives its id. Deterministic: the same content is the same commit, however often and
 * wherever it is made. Made by hand, since a git process costs more than all of it. Throws what `hostFault` says.
 */
export async function writeCommit(git: Git, content: CommitContent): Promise<CommitId> {
  return writeObject(git.location.gitDir, 'commit', Buffer.from(commitText(content), 'utf8'), content.tree.length);
}

/** Writes a commit without any file, for a repository that has none yet. `format` is the length of its object ids in hex. */
export async function writeEmptyCommit(git: Git, content: Pick<CommitContent, 'message' | 'at'>, idLength: number): Promise<CommitId> {
  const tree = await writeObject(git.location.gitDir, 'tree', Buffer.alloc(0), idLength);
  return writeCommit(git, { ...content, tree, parents: [] });
}

/** https://git-scm.com/book/en/v2/Git-Internals-Git-Objects: `<type> <size>\0<content>`, hashed, deflated. */
async function writeObject(gitDir: string, type: string, content: Buffer, idLength: number): Promise<string> {
  const bytes = Buffer.concat([Buffer.from(`${type} ${String(content.byteLength)}\0`), content]);
  const id = createHash(idLength === 64 ? 'sha256' : 'sha1')
    .update(bytes)
    .digest('hex');
  const directory = path.join(gitDir, 'objects', id.slice(0, 2));
  const target = path.join(directory, id.slice(2));
  if (!(await exists(target))) await withHostFaults(async () => writeOnce(directory, target, await deflated(bytes)));
  return id;
}

/** The object is complete before it has its name, so that no reader ever sees half of one. */
async function writeOnce(directory: string, target: string, bytes: Buffer): Promise<void> {
  await mkdir(directory, { recursive: true });
  const temporary = path.join(directory, `tmp_obj_${String(process.pid)}_${Math.random().toString(36).slice(2)}`);
  try {
    const file = await open(temporary, 'wx', 0o444);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, target).catch((error: unknown) => {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

function commitText({ tree, parents, message, at }: CommitContent): string {
  const who = `${IDENTITY.name} <${IDENTITY.email}> ${String(Math.floor(at / 1000))} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  // A NUL would end the message for some readers and is refused by fsck.
  return `${lines.join('\n')}\n\n${message.replaceAll('\0', '').trimEnd()}\n`;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
