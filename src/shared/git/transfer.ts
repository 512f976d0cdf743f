import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors/errors.ts';
import { gitFailure } from './failure.ts';
import { type Git, gitCommand } from './git.ts';
import { PACK_HEADER_BYTES, packedObjects } from './pack.ts';
import { type GitEnd, startGit } from './start-git.ts';
import { STRICT } from './strict.ts';

export interface TransferOptions {
  /** Commits the target has already, and the source too: they and what they reach are not sent. */
  readonly known?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Fewer objects than this are written one by one: many small packs slow a repository down that nobody repacks. */
const LOOSE_LIMIT = 100;

/**
 * Copies commits, with all they reach, from one repository of this host into another, and gives the number of objects.
 *
 * One process reads and one writes, joined by a pipe: no fetch, no push, hence no hook, no remote's configuration, no
 * upload-pack that would refuse another user's repository. Each runs as the owner its `Git` names. Refs stay as they are.
 * Throws what `gitFailure` says; what arrived before a failure is reachable from nowhere.
 */
export async function transferObjects(source: Git, target: Git, wanted: readonly string[], options: TransferOptions = {}): Promise<number> {
  // No search for new deltas: it costs seconds for a large repository, and the bytes go no further than a pipe.
  const args = ['pack-objects', '--revs', '--stdout', '--thin', '--delta-base-offset', '--window=0', '-q'];
  const reading = startGit(gitCommand(source.location, args, { ...signalOf(options), hasInput: true }));
  reading.stdin?.end(revisions(wanted, options.known ?? []));
  const objects = await readHeader(reading.stdout);
  if (objects === undefined || objects === 0) {
    reading.stdout.resume();
    throwIfFailed(args, await reading.ended);
    return 0;
  }
  await writePack(target, reading.stdout, objects, options, async () => {
    throwIfFailed(args, await reading.ended);
  });
  return objects;
}

/** What pack-objects reads on stdin: ids that are wanted, and `^` before those that are not. */
export function revisions(wanted: readonly string[], known: readonly string[]): string {
  return [...wanted, ...known.map((id) => `^${id}`)].map((line) => `${line}\n`).join('');
}

async function writePack(
  target: Git,
  pack: Readable,
  objects: number,
  options: TransferOptions,
  sourceEnded: () => Promise<void>,
): Promise<void> {
  const loose = objects < LOOSE_LIMIT;
  const args = loose ? ['unpack-objects', '-q', STRICT] : ['index-pack', '--stdin', '--fix-thin', STRICT];
  const settings = [...(target.location.settings ?? []), 'core.fsync=committed,loose-object', 'core.fsyncMethod=batch'];
  const location = { ...target.location, settings };
  const writing = startGit(gitCommand(location, args, { ...signalOf(options), hasInput: true }));
  writing.stdout.resume();
  // A writer that dies closes the pipe: its own message tells more than the broken pipe of its reader.
  const piped = await pipeline(pack, writing.stdin ?? new PassThrough().resume()).then(
    () => undefined,
    (error: unknown) => error,
  );
  const written = await writing.ended;
  if (written.exitCode === 0) await sourceEnded();
  else await sourceEnded().catch(() => undefined);
  throwIfFailed(args, written);
  if (piped !== undefined) throw gitFailure({ args, exitCode: undefined, stderr: messageOf(piped) });
}

async function readHeader(stream: Readable): Promise<number | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size < PACK_HEADER_BYTES) {
    const chunk: unknown = stream.read();
    if (chunk instanceof Buffer) {
      chunks.push(chunk);
      size += chunk.byteLength;
    } else if (stream.readableEnded || stream.destroyed) {
      return undefined;
    } else {
      await Promise.race([once(stream, 'readable'), once(stream, 'end'), once(stream, 'close')]);
    }
  }
  const start = Buffer.concat(chunks);
  stream.unshift(start);
  return packedObjects(start);
}

function throwIfFailed(args: readonly string[], end: GitEnd): void {
  if (end.exitCode !== 0) throw gitFailure({ args, ...end });
}

function signalOf({ signal }: TransferOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
