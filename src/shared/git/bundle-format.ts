import { TerminalError } from '../errors/errors.ts';
import type { CommitId } from '../domain/ids.ts';
import { isWholePack, packedObjects } from './pack.ts';

export interface BundleTip {
  readonly id: CommitId;
  /** A full ref name, `refs/heads/...`. */
  readonly ref: string;
}

export interface BundleHeader {
  readonly tips: readonly BundleTip[];
  /** Commits that a receiver must have already. */
  readonly prerequisites: readonly CommitId[];
}

export interface ParsedBundle extends BundleHeader {
  readonly pack: Uint8Array;
  readonly objects: number;
  /** Length of the object ids, in hex digits: 40 or 64. */
  readonly idLength: number;
}

const MAX_HEADER_BYTES = 256 * 1024;
const OBJECT_FORMATS = { sha1: 40, sha256: 64 } as const;

/** The header of a bundle as stock git reads it (https://git-scm.com/docs/gitformat-bundle): v2, or v3 for SHA-256. */
export function bundleHeader({ tips, prerequisites }: BundleHeader): string {
  const sha256 = tips[0]?.id.length === OBJECT_FORMATS.sha256;
  return [
    ...(sha256 ? ['# v3 git bundle', '@object-format=sha256'] : ['# v2 git bundle']),
    ...prerequisites.map((id) => `-${id}`),
    ...tips.map(({ id, ref }) => `${id} ${ref}`),
    '\n',
  ].join('\n');
}

/** Takes a bundle apart. Throws `TerminalError` `bundle_refused` for whatever is not exactly what `bundleHeader` and a whole pack give. */
export function parseBundle(bytes: Uint8Array): ParsedBundle {
  const end = endOfHeader(bytes);
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1').split('\n');
  const idLength = readVersion(lines);
  const header = readLines(lines, idLength);
  const pack = bytes.subarray(end + 2);
  const objects = packedObjects(pack);
  if (objects === undefined) throw bundleRefused('it holds no pack');
  if (!isWholePack(pack, idLength)) throw bundleRefused('its checksum does not match: it is truncated or altered');
  return { ...header, pack, objects, idLength };
}

export function bundleRefused(reason: string, details: Record<string, unknown> = {}): TerminalError {
  return new TerminalError('bundle_refused', `The bundle was refused: ${reason}.`, { details });
}

/** Where the empty line begins that ends the header. */
function endOfHeader(bytes: Uint8Array): number {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAX_HEADER_BYTES));
  const end = start.indexOf('\n\n', 0, 'latin1');
  if (end < 0) throw bundleRefused('its header does not end');
  return end;
}

function readVersion(lines: string[]): number {
  const version = lines.shift();
  if (version === '# v2 git bundle') return OBJECT_FORMATS.sha1;
  if (version === '# v3 git bundle' && lines.shift() === '@object-format=sha256') return OBJECT_FORMATS.sha256;
  throw bundleRefused('it does not begin as a bundle does');
}

function readLines(lines: readonly string[], idLength: number): BundleHeader {
  const prerequisite = new RegExp(`^-([0-9a-f]{${String(idLength)}})$`);
  const tip = new RegExp(`^([0-9a-f]{${String(idLength)}}) (refs/heads/[A-Za-z0-9._/-]{1,200})$`);
  const prerequisites: CommitId[] = [];
  const tips: BundleTip[] = [];
  for (const line of lines) {
    const needed = prerequisite.exec(line)?.[1];
    const [, id, ref] = tip.exec(line) ?? [];
    if (needed !== undefined && tips.length === 0) prerequisites.push(needed);
    else if (id !== undefined && ref !== undefined && !ref.includes('..')) tips.push({ id, ref });
    else throw bundleRefused('its header has a line that we do not know');
  }
  if (tips.length === 0) throw bundleRefused('it brings no commit');
  return { tips, prerequisites };
}
