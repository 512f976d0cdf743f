import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Commits, openCommits } from '../../src/agents/repo-manager/commits.ts';
import { MultiAgentError } from '../../src/shared/errors/errors.ts';
import { createBundle } from '../../src/shared/git/bundle.ts';
import { createGit, type Git } from '../../src/shared/git/git.ts';
import { openMirror } from '../../src/shared/git/mirror.ts';
import { commitFiles, makeDirectory, makeRepository, stockGit } from '../integration/git/fixtures.ts';
import { AGAIN, SEED, size } from '../support/fuzz/scale.ts';

const MAX = 5_000_000;
const SHA1_BYTES = 20;

describe(`hostile bundles (${AGAIN})`, () => {
  let home: { path: string; remove: () => Promise<void> };
  let repository: string;
  let source: Git;
  let commits: Commits;
  let first: string;
  let second: string;
  let good: Uint8Array;

  beforeAll(async () => {
    home = await makeDirectory();
    repository = path.join(home.path, 'repository');
    first = await makeRepository(repository, { 'a.txt': 'one\n'.repeat(100) });
    second = await commitFiles(repository, { 'b.txt': 'two\n' }, 'second');
    source = createGit({ gitDir: path.join(repository, '.git') });
    const mirror = path.join(home.path, 'mirror.git');
    await openMirror(mirror);
    commits = openCommits(mirror);
    await commits.receive(await bundleOf(first, []), { maxBytes: MAX, expectedTip: first });
    good = await bundleOf(second, [first]);
  });
  afterAll(() => home.remove());

  const bundleOf = (tip: string, prerequisites: string[]): Promise<Uint8Array> =>
    createBundle(source, { tips: [{ id: tip, ref: 'refs/heads/work' }], prerequisites });

  /** It is refused as what it is; or it is what was promised all the same. */
  async function receive(bytes: Uint8Array, expectedTip = second): Promise<string> {
    try {
      await commits.receive(bytes, { maxBytes: MAX, expectedTip, descendsFrom: first });
    } catch (error) {
      if (!(error instanceof MultiAgentError)) throw error;
      return error.code;
    }
    expect(await commits.isAncestor(first, expectedTip)).toBe(true);
    return 'taken';
  }

  const cut = fc.double({ min: 0, max: 0.999, noNaN: true }).map((part) => (bytes: Uint8Array) => bytes.subarray(0, bytes.length * part));
  const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, by]) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ by;
    return copy;
  });
  const grow = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((more) => (bytes: Uint8Array) => Buffer.concat([bytes, more]));
  const replace = fc.uint8Array({ maxLength: 400 }).map((all) => () => all);

  it('is truncated, altered, longer than it says, forged, or none at all', async () => {
    const codes = new Set<string>();

    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, flip, flip, grow, replace), fc.boolean(), async (change, isForged) => {
        const changed = change(good);
        codes.add(await receive(isForged ? forged(changed) : changed));
      }),
      { numRuns: size(1_500, 60), seed: SEED },
    );

    expect([...codes].filter((code) => code !== 'taken' && !code.startsWith('bundle_'))).toEqual([]);
    expect(codes).toContain('bundle_refused');
  });

  it('brings another commit than it was sent for, or one from elsewhere', async () => {
    await stockGit(repository, ['checkout', '-q', '--orphan', 'elsewhere']);
    const orphan = await commitFiles(repository, { 'c.txt': 'three\n' }, 'from elsewhere');
    await stockGit(repository, ['checkout', '-q', 'main']);

    expect(await receive(await bundleOf(orphan, []))).toBe('bundle_refused');
    expect(await receive(await bundleOf(orphan, []), orphan)).toBe('bundle_refused');
    expect(await receive(good, randomBytes(20).toString('hex'))).toBe('bundle_refused');
    expect(await receive(good)).toBe('taken');
  });

  it.each([
    ['a repository inside', '160000', 'sub', 'submodule_refused'],
    ['a symlink out of the tree', '120000', 'link', 'symlink_refused'],
  ])('holds %s', async (_what, mode, name, code) => {
    const target = (await source.run(['hash-object', '-w', '--stdin'], { input: '../../etc/passwd' })).stdout.trim();
    const id = mode === '160000' ? first : target;
    const tip = await commitTree(`${mode} ${mode === '160000' ? 'commit' : 'blob'} ${id}\t${name}\n`);

    expect(await receive(await bundleOf(tip, [first]), tip)).toBe('taken');

    expect((await commits.refusedEntry(first, { to: tip }))?.code).toBe(code);
  });

  it.each(['.git', '.GIT', '..', '.'])('holds an entry called %s', async (name) => {
    const blob = (await source.run(['hash-object', '-w', '--stdin'], { input: 'evil' })).stdout.trim();
    const entry = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]);
    const tree = (await source.run(['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], { input: entry })).stdout.trim();
    const tip = await commitOf(tree);

    expect(await receive(await bundleOf(tip, [first]), tip)).toBe('bundle_refused');
  });

  async function commitTree(entries: string): Promise<string> {
    return commitOf((await source.run(['mktree', '--missing'], { input: entries })).stdout.trim());
  }

  async function commitOf(tree: string): Promise<string> {
    const text = `tree ${tree}\nparent ${first}\nauthor A <a@example.org> 1 +0000\ncommitter A <a@example.org> 1 +0000\n\nhostile\n`;
    return (await source.run(['hash-object', '-t', 'commit', '-w', '--stdin'], { input: text })).stdout.trim();
  }
});

/** With the checksum that belongs to what is in it now: it is for git to see what is wrong. */
function forged(bytes: Uint8Array): Uint8Array {
  const packAt = Buffer.from(bytes).indexOf('\n\n') + 2;
  if (packAt < 2 || bytes.length - packAt <= SHA1_BYTES) return bytes;
  const copy = Uint8Array.from(bytes);
  const end = copy.length - SHA1_BYTES;
  copy.set(createHash('sha1').update(copy.subarray(packAt, end)).digest(), end);
  return copy;
}
