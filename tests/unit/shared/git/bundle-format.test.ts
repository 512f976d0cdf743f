import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TerminalError } from '../../../../src/shared/errors/errors.ts';
import { bundleHeader, parseBundle } from '../../../../src/shared/git/bundle-format.ts';
import { isWholePack, packedObjects } from '../../../../src/shared/git/pack.ts';
import { createHash } from 'node:crypto';

const id = '1'.repeat(40);

function packOf(objects: number): Buffer {
  const header = Buffer.concat([Buffer.from('PACK'), Buffer.alloc(8)]);
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects, 8);
  return Buffer.concat([header, createHash('sha1').update(header).digest()]);
}

const bundleOf = (header: string) => Buffer.concat([Buffer.from(header, 'latin1'), packOf(0)]);

describe('the format of bundles', () => {
  it('writes what git reads, and reads it', () => {
    const header = { tips: [{ id, ref: 'refs/heads/multi-agent/x' }], prerequisites: ['2'.repeat(40)] };

    const text = bundleHeader(header);

    expect(text).toBe(`# v2 git bundle\n-${'2'.repeat(40)}\n${id} refs/heads/multi-agent/x\n\n`);
    expect(parseBundle(bundleOf(text))).toMatchObject({ ...header, objects: 0, idLength: 40 });
  });

  it('says its object format for SHA-256', () => {
    expect(bundleHeader({ tips: [{ id: '1'.repeat(64), ref: 'refs/heads/x' }], prerequisites: [] })).toMatch(
      /^# v3 git bundle\n@object-format=sha256\n1{64} refs\/heads\/x\n\n$/,
    );
  });

  it('refuses any bytes that are no bundle, and never fails otherwise', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('', '# v2 git bundle\n', `# v2 git bundle\n${id} refs/heads/x\n\n`),
        (noise, start) => {
          const bytes = Buffer.concat([Buffer.from(start), noise]);

          expect(() => parseBundle(bytes)).toThrow(TerminalError);
        },
      ),
    );
  });

  it('knows a whole pack', () => {
    const pack = packOf(3);

    expect(packedObjects(pack)).toBe(3);
    expect(isWholePack(pack, 40)).toBe(true);
    expect(isWholePack(pack.subarray(0, -1), 40)).toBe(false);
    expect(isWholePack(Buffer.alloc(3), 40)).toBe(false);
    expect([packedObjects(Buffer.alloc(3)), packedObjects(Buffer.alloc(30))]).toEqual([undefined, undefined]);
  });
});
