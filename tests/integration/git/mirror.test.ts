import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createBundle, receiveBundle } from '../../../src/shared/git/bundle.ts';
import { createGit, type Git } from '../../../src/shared/git/git.ts';
import { commitExists } from '../../../src/shared/git/inspect.ts';
import { maintainMirror, openMirror } from '../../../src/shared/git/mirror.ts';
import { writeCommit } from '../../../src/shared/git/objects.ts';
import { keepBase, keptBases, listPins, pin, unpin } from '../../../src/shared/git/refs.ts';
import { transferObjects } from '../../../src/shared/git/transfer.ts';
import { AT, JOB, makeDirectory, makeRepository, OTHER_JOB } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

describe('mirrors', () => {
  let directory: { path: string; remove: () => Promise<void> };
  let source: Git;
  let mirror: Git;
  let commit: string;
  let tree: string;

  beforeEach(async () => {
    directory = await makeDirectory();
    commit = await makeRepository(path.join(directory.path, 'repository'));
    source = createGit({ gitDir: path.join(directory.path, 'repository/.git') });
    mirror = await openMirror(path.join(directory.path, 'mirrors/one.git'));
    tree = (await source.run(['rev-parse', `${commit}^{tree}`])).stdout.trim();
  });
  afterEach(() => directory.remove());

  it('are made once, whoever opens them at the same time', async () => {
    const gitDir = path.join(directory.path, 'mirrors/two.git');

    await Promise.all([1, 2, 3, 4, 5].map(() => openMirror(gitDir)));

    expect(await readdir(path.join(directory.path, 'mirrors'))).toEqual(['one.git', 'two.git']);
    expect((await createGit({ gitDir }).run(['rev-parse', '--is-bare-repository'])).stdout.trim()).toBe('true');
  });

  it('pin commits where git finds them, and let them go', async () => {
    await transferObjects(source, mirror, [commit]);
    await pin(mirror, JOB, 1, commit);
    await pin(mirror, JOB, '2-wip', commit);
    await pin(mirror, OTHER_JOB, 1, commit);

    const seen = await mirror.run(['for-each-ref', '--format=%(refname)']);
    const pins = await listPins(mirror, JOB);
    await unpin(mirror, JOB);
    await unpin(mirror, JOB);

    expect(seen.stdout.trim().split('\n')).toEqual([
      `refs/multi-agent/${JOB}/1`,
      `refs/multi-agent/${JOB}/2-wip`,
      `refs/multi-agent/${OTHER_JOB}/1`,
    ]);
    expect(pins).toEqual([
      { jobId: JOB, name: '1', id: commit },
      { jobId: JOB, name: '2-wip', id: commit },
    ]);
    expect(await listPins(mirror)).toEqual([{ jobId: OTHER_JOB, name: '1', id: commit }]);
  });

  it('pin nothing outside their own place', async () => {
    await expect(pin(mirror, '../../heads', 1, commit)).rejects.toThrow('not a part of a ref name');
    await expect(pin(mirror, JOB, 'a/b', commit)).rejects.toThrow('not a part of a ref name');
  });

  it('remember the bases that both sides have', async () => {
    await keepBase(mirror, 'abc', commit);
    await keepBase(mirror, 'abc', commit);
    await writeFile(path.join(mirror.location.gitDir, 'refs/bases/broken'), 'x');

    expect(await keptBases(mirror)).toEqual(new Map([['abc', commit]]));
  });

  it('take a transfer of nothing', async () => {
    await transferObjects(source, mirror, [commit]);

    expect(await transferObjects(source, mirror, [commit], { known: [commit] })).toBe(0);
  });

  it('say what a transfer could not read or write', async () => {
    await expect(transferObjects(source, mirror, ['1'.repeat(40)])).rejects.toMatchObject({ code: 'git_failed' });
    await expect(transferObjects(source, createGit({ gitDir: '/nonexistent' }), [commit])).rejects.toMatchObject({ code: 'git_failed' });
  });

  it('take many objects as one pack', async () => {
    const files = Object.fromEntries([...Array(150).keys()].map((n) => [`f${String(n)}`, String(n)]));
    const many = await makeRepository(path.join(directory.path, 'many'), files);

    const objects = await transferObjects(createGit({ gitDir: path.join(directory.path, 'many/.git') }), mirror, [many]);

    expect(objects).toBe(152);
    expect((await readdir(path.join(mirror.location.gitDir, 'objects/pack'))).filter((name) => name.endsWith('.pack'))).toHaveLength(1);
  });

  it('are rolled together when they have many packs, and lose nothing, while being read', async () => {
    const commits = await fillWithPacks(52);

    const [maintained] = await Promise.all([maintainMirror(mirror), ...commits.map((id) => readWhole(id))]);

    expect(maintained).toBe(true);
    expect((await packs()).length).toBeLessThan(10);
    expect(await Promise.all(commits.map((id) => commitExists(mirror, id)))).toEqual(commits.map(() => true));
    expect(await maintainMirror(mirror)).toBe(false);
  });

  it('are left alone while another process rolls them together, unless that died', async () => {
    await fillWithPacks(51);
    const lock = path.join(mirror.location.gitDir, 'multi-agent-repack.lock');
    await writeFile(lock, '');

    const busy = await maintainMirror(mirror);
    await utimes(lock, 1, 1);
    const dead = await maintainMirror(mirror);

    expect([busy, dead]).toEqual([false, true]);
  });

  const packs = async () => (await readdir(path.join(mirror.location.gitDir, 'objects/pack'))).filter((name) => name.endsWith('.pack'));
  const readWhole = (id: string) => mirror.run(['rev-list', '--objects', id]);

  /** Every second one is reachable from nowhere: those must survive too. */
  async function fillWithPacks(count: number): Promise<string[]> {
    const commits: string[] = [];
    for (let at = 0; at < count; at++) {
      const id = await writeCommit(source, { tree, parents: [commit], message: String(at), at: AT });
      const bytes = await createBundle(source, { tips: [{ id, ref: 'refs/heads/x' }], prerequisites: at === 0 ? [] : [commit] });
      await receiveBundle(mirror, bytes, { maxBytes: 1_000_000, expectedTip: id });
      if (at % 2 === 0) await pin(mirror, JOB, at, id);
      commits.push(id);
    }
    return commits;
  }
});
