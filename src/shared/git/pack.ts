import { createHash } from 'node:crypto';

/** `PACK`, version, number of objects (https://git-scm.com/docs/pack-format). */
export const PACK_HEADER_BYTES = 12;

/** The number of objects that a pack's header tells, undefined where this is no pack. */
export function packedObjects(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < PACK_HEADER_BYTES) return undefined;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, PACK_HEADER_BYTES);
  const version = header.readUInt32BE(4);
  if (header.toString('latin1', 0, 4) !== 'PACK' || (version !== 2 && version !== 3)) return undefined;
  return header.readUInt32BE(8);
}

/** Whether the pack ends with the checksum of all before it: nothing is missing, nothing follows. */
export function isWholePack(bytes: Uint8Array, idLength: number): boolean {
  const checksumBytes = idLength / 2;
  if (bytes.byteLength < PACK_HEADER_BYTES + checksumBytes) return false;
  const end = bytes.byteLength - checksumBytes;
  const checksum = createHash(idLength === 64 ? 'sha256' : 'sha1')
    .update(bytes.subarray(0, end))
    .digest();
  return checksum.equals(bytes.subarray(end));
}
