import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createBundle, MissingPrerequisitesError, receiveBundle } from '../../../src/shared/git/bundle.ts';
import { createGit, type Git } from '../../../src/shared/git/git.ts';
import { commitExists } from '../../../src/shared/git/inspect.ts';
import { openMirror } from '../../../src/shared/git/mirror.ts';
import { commitFiles, makeDirectory, makeRepository, stockGit } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

const MAX = 10_000_000;
const REF = 'refs/heads/multi-agent/x';

describe('bundles', () => {
  let home: { path: string; remove: () => Promise<void> };
  let repository: string;
  let first: string;
  let second: string;
  let source: Git;
  let target: Git;

  beforeEach(async () => {
    home = await makeDirectory();
    repository = path.join(home.path, 'repository');
    first = await makeRepository(repository, { 'a.txt': 'one\n'.repeat(1000) });
    second = await commitFiles(repository, { 'a.txt': `${'one\n'.repeat(1000)}two\n` }, 'second');
    source = createGit({ gitDir: path.join(repository, '.git') });
    target = await openMirror(path.join(home.path, 'target.git'));
  });
  afterEach(() => home.remove());

  const full = () => createBundle(source, { tips: [{ id: second, ref: REF }], prerequisites: [] });
  const thin = () => createBundle(source, { tips: [{ id: second, ref: REF }], prerequisites: [first] });
  const withChecksum = (bytes: Buffer) =>
    Buffer.concat([
      bytes,
      createHash('sha1')
        .update(bytes.subarray(bytes.indexOf('PACK')))
        .digest(),
    ]);

  it('carries commits to a repository that has nothing', async () => {
    const received = await receiveBundle(target, await full(), { maxBytes: MAX, expectedTip: second, descendsFrom: first });

    expect(received.tips).toEqual([{ id: second, ref: REF }]);
    expect(await commitExists(target, first)).toBe(true);
    await target.run(['fsck', '--strict', '--full']);
  });

  it('is a bundle for stock git too', async () => {
    const file = path.join(home.path, 'thin.bundle');
    await writeFile(file, await thin());
    const clone = path.join(home.path, 'clone');
    await stockGit(home.path, ['clone', '-q', repository, clone]);

    await stockGit(clone, ['bundle', 'verify', file]);
    await stockGit(clone, ['fetch', '-q', file, `${REF}:refs/heads/fetched`]);

    expect(await stockGit(clone, ['rev-parse', 'fetched'])).toBe(second);
  });

  it('sends little where the receiver has the rest, and takes it twice', async () => {
    await receiveBundle(target, await createBundle(source, { tips: [{ id: first, ref: REF }], prerequisites: [] }), {
      maxBytes: MAX,
      expectedTip: first,
    });
    const bytes = await thin();

    await receiveBundle(target, bytes, { maxBytes: MAX, expectedTip: second, descendsFrom: first });
    await receiveBundle(target, bytes, { maxBytes: MAX, expectedTip: second, descendsFrom: first });

    expect(bytes.byteLength).toBeLessThan((await full()).byteLength + 200);
    expect(await commitExists(target, second)).toBe(true);
  });

  it('takes one that brings nothing new', async () => {
    await receiveBundle(target, await full(), { maxBytes: MAX, expectedTip: second });
    const nothing = await createBundle(source, { tips: [{ id: second, ref: REF }], prerequisites: [second] });

    const received = await receiveBundle(target, nothing, { maxBytes: MAX, expectedTip: second });

    expect(received.tips).toHaveLength(1);
  });

  it('names the prerequisites that are missing', async () => {
    const receiving = receiveBundle(target, await thin(), { maxBytes: MAX, expectedTip: second });

    await expect(receiving).rejects.toBeInstanceOf(MissingPrerequisitesError);
    await expect(receiving).rejects.toMatchObject({ code: 'bundle_prerequisites_missing', missing: [first] });
  });

  it('names a missing prerequisite of a bundle that brings nothing', async () => {
    const nothing = await createBundle(source, { tips: [{ id: second, ref: REF }], prerequisites: [second] });

    await expect(receiveBundle(target, nothing, { maxBytes: MAX, expectedTip: second })).rejects.toMatchObject({ missing: [second] });
  });

  it('refuses a tip that does not descend from what was sent', async () => {
    await receiveBundle(target, await full(), { maxBytes: MAX, expectedTip: second });
    await stockGit(repository, ['checkout', '-q', '--orphan', 'other']);
    const other = await commitFiles(repository, { 'z.txt': 'z\n' }, 'other');
    const bytes = await createBundle(source, { tips: [{ id: other, ref: REF }], prerequisites: [] });

    const receiving = receiveBundle(target, bytes, { maxBytes: MAX, expectedTip: other, descendsFrom: second });

    await expect(receiving).rejects.toMatchObject({ code: 'bundle_refused' });
  });

  describe('refuses', () => {
    const refused: [string, (bytes: Buffer) => Buffer][] = [
      ['an empty one', () => Buffer.alloc(0)],
      ['noise', () => randomBytes(5_000)],
      ['one without its last byte', (bytes) => bytes.subarray(0, -1)],
      ['one cut in half', (bytes) => bytes.subarray(0, bytes.byteLength / 2)],
      ['one with something behind it', (bytes) => Buffer.concat([bytes, Buffer.from('junk')])],
      ['one with a changed byte', (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.byteLength - 40 ? byte ^ 1 : byte)))],
      [
        'a changed byte with the right checksum',
        (bytes) => {
          const altered = Buffer.from(bytes.subarray(0, -20));
          altered[altered.byteLength - 30] = (altered[altered.byteLength - 30] ?? 0) ^ 1;
          return withChecksum(altered);
        },
      ],
      [
        'one that says it has more objects',
        (bytes) => {
          const altered = Buffer.from(bytes.subarray(0, -20));
          altered.writeUInt32BE(99, altered.indexOf('PACK') + 8);
          return withChecksum(altered);
        },
      ],
      ['a header that never ends', (bytes) => Buffer.from(bytes.toString('latin1').replace('\n\n', '\n'), 'latin1')],
      ['another version', (bytes) => Buffer.from(bytes.toString('latin1').replace('v2', 'v9'), 'latin1')],
      [
        'an unknown capability',
        (bytes) => Buffer.from(bytes.toString('latin1').replace('v2 git bundle\n', 'v3 git bundle\n@filter=blob:none\n'), 'latin1'),
      ],
      ['a ref that climbs', (bytes) => Buffer.from(bytes.toString('latin1').replace(REF, 'refs/heads/../../x'), 'latin1')],
      ['a ref elsewhere', (bytes) => Buffer.from(bytes.toString('latin1').replace('refs/heads', 'refs/multi'), 'latin1')],
      [
        'a prerequisite after a tip',
        (bytes) => Buffer.from(bytes.toString('latin1').replace('\n\n', `\n-${'1'.repeat(40)}\n\n`), 'latin1'),
      ],
      [
        'one without tips',
        (bytes) => Buffer.from(bytes.toString('latin1').replace(/[0-9a-f]{40} refs\/heads\/multi-agent\/x\n/, ''), 'latin1'),
      ],
    ];

    it.each(refused)('%s', async (_, alter) => {
      const bytes = alter(Buffer.from(await full()));

      await expect(receiveBundle(target, bytes, { maxBytes: MAX, expectedTip: second })).rejects.toMatchObject({ code: 'bundle_refused' });
      expect(await commitExists(target, second)).toBe(false);
    });

    it('one that is too large', async () => {
      await expect(receiveBundle(target, await full(), { maxBytes: 100, expectedTip: second })).rejects.toMatchObject({
        code: 'bundle_refused',
      });
    });

    it('one that brings another commit', async () => {
      await expect(receiveBundle(target, await full(), { maxBytes: MAX, expectedTip: first })).rejects.toMatchObject({
        code: 'bundle_refused',
      });
    });

    it('one that hides what it needs', async () => {
      const bytes = Buffer.from((await thin()).slice());
      const lying = Buffer.from(bytes.toString('latin1').replace(`-${first}\n`, ''), 'latin1');

      await expect(receiveBundle(target, lying, { maxBytes: MAX, expectedTip: second })).rejects.toMatchObject({ code: 'bundle_refused' });
      expect(await commitExists(target, second)).toBe(false);
    });

    it('a tree that git finds fault with', async () => {
      const blob = await source.run(['hash-object', '-w', '--stdin'], { input: 'x' });
      const entry = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob.stdout.trim(), 'hex')]);
      const tree = await source.run(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], { input: entry });
      const bad = await stockGit(repository, ['commit-tree', tree.stdout.trim(), '-m', 'bad']);
      const bytes = await createBundle(source, { tips: [{ id: bad, ref: REF }], prerequisites: [] });

      await expect(receiveBundle(target, bytes, { maxBytes: MAX, expectedTip: bad })).rejects.toMatchObject({ code: 'bundle_refused' });
    });
  });

  it('works for SHA-256 repositories', async () => {
    const directory = path.join(home.path, 'sha256');
    await stockGit(home.path, ['init', '-q', '-b', 'main', '--object-format=sha256', directory]);
    const tip = await commitFiles(directory, { 'a.txt': 'a\n' }, 'first');
    const mirror = await openMirror(path.join(home.path, 'sha256.git'), () => 'sha256');

    const bytes = await createBundle(createGit({ gitDir: path.join(directory, '.git') }), {
      tips: [{ id: tip, ref: REF }],
      prerequisites: [],
    });
    await receiveBundle(mirror, bytes, { maxBytes: MAX, expectedTip: tip });

    expect(await commitExists(mirror, tip)).toBe(true);
  });
});
