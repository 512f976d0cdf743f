import type { Git } from './git.ts';

/** The texts of blobs by their ids, read by one process. What is longer than `maxBytes` is cut and says so. */
export async function readBlobs(git: Git, ids: readonly string[], maxBytes: number): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  if (ids.length === 0) return texts;
  const { stdout } = await git.runBytes(['cat-file', '--batch'], { input: ids.map((id) => `${id}\n`).join('') });
  let at = 0;
  while (at < stdout.byteLength) {
    const end = stdout.indexOf('\n', at, 'latin1');
    const [id = '', type, size] = stdout.toString('latin1', at, end).split(' ');
    at = end + 1;
    if (type === 'missing') continue;
    const bytes = Number(size);
    texts.set(id, textOf(stdout.subarray(at, at + bytes), maxBytes));
    at += bytes + 1;
  }
  return texts;
}

function textOf(bytes: Buffer, maxBytes: number): string {
  if (bytes.subarray(0, 8_000).includes(0)) return `(binary, ${String(bytes.byteLength)} bytes)`;
  if (bytes.byteLength <= maxBytes) return bytes.toString('utf8');
  return `${bytes.toString('utf8', 0, maxBytes)}\n(cut: ${String(bytes.byteLength)} bytes in all)\n`;
}
