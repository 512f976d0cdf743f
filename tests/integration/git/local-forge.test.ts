import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFile, execFileSync } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Forge, MergeRequest, MirroredRepository } from '../../../src/shared/forge/forge.ts';
import { findCheckouts } from '../../../src/shared/forge/local/checkouts.ts';
import { createLocalForge } from '../../../src/shared/forge/local/local-forge.ts';
import { findLocalRepository } from '../../../src/shared/forge/local/local-repository.ts';
import { ownerToRunAs } from '../../../src/shared/forge/local/ownership.ts';
import { withShadow } from '../../../src/shared/forge/local/shadow.ts';
import { createGit } from '../../../src/shared/git/git.ts';
import { createMergeCommit, mergeTrees } from '../../../src/shared/git/merge.ts';
import { writeCommit } from '../../../src/shared/git/objects.ts';
import { branchOf } from '../../../src/shared/domain/ids.ts';
import { AT, commitFiles, JOB, makeDirectory, makeRepository, stockGit, writeFiles } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

const HEAD = branchOf(JOB);
const HOOKS = [
  'pre-receive',
  'update',
  'post-receive',
  'post-update',
  'reference-transaction',
  'proc-receive',
  'push-to-checkout',
  'post-checkout',
  'post-merge',
  'pre-commit',
  'post-commit',
  'post-index-change',
  'post-rewrite',
  'fsmonitor-watchman',
];

describe('the local forge and a tree of the user', () => {
  let directory: { path: string; remove: () => Promise<void> };
  let app: string;
  let forge: Forge;
  let mirrored: MirroredRepository;
  let start: string;

  beforeEach(async () => {
    directory = await makeDirectory();
    app = path.join(directory.path, 'app');
    start = await makeRepository(app, { 'a.txt': 'one\n', 'gone.txt': 'x\n', 'dir/x': 'x\n', '.gitignore': '*.env\n' });
    forge = createLocalForge({ home: path.join(directory.path, 'ma') });
    mirrored = await forge.open({ kind: 'local', url: app });
  });
  afterEach(() => directory.remove());

  /** A change (a.txt, new.txt, gone.txt deleted, dir replaced by a file), published, and its merge, not yet landed. */
  async function prepare(): Promise<MergeRequest> {
    const { commit: baseCommit } = await forge.fetchBase(mirrored, 'main', AT);
    const git = createGit({ gitDir: mirrored.mirror, workTree: directory.path, indexFile: path.join(directory.path, 'index') });
    await git.run(['read-tree', baseCommit]);
    await git.run(['update-index', '--index-info'], { input: `0 ${'0'.repeat(40)}\tgone.txt\n0 ${'0'.repeat(40)}\tdir/x\n` });
    for (const file of ['a.txt', 'new.txt', 'dir']) {
      const blob = await git.run(['hash-object', '-w', '--stdin'], { input: `${file} of the change\n` });
      await git.run(['update-index', '--add', '--cacheinfo', `100644,${blob.stdout.trim()},${file}`]);
    }
    const tree = (await git.run(['write-tree'])).stdout.trim();
    const headCommit = await writeCommit(git, { tree, parents: [baseCommit], message: 'change', at: AT });
    await forge.publishBranch(mirrored, HEAD, headCommit, null);
    return mergeOf(baseCommit, headCommit);
  }

  async function mergeOf(baseCommit: string, headCommit: string): Promise<MergeRequest> {
    const mirror = createGit({ gitDir: mirrored.mirror });
    const { tree } = await mergeTrees(mirror, baseCommit, headCommit);
    const mergeCommit = await createMergeCommit(mirror, { tree, parents: [baseCommit, headCommit], message: 'Merge', at: AT });
    return { jobId: JOB, number: 1, base: 'main', baseCommit, head: HEAD, headCommit, mergeCommit, at: AT };
  }

  const status = () => stockGit(app, ['status', '--porcelain']);
  const main = () => stockGit(app, ['rev-parse', 'main']);

  it('takes a clean tree along', async () => {
    const merge = await prepare();

    expect(await forge.land(mirrored, merge)).toEqual({ type: 'landed', mergeCommit: merge.mergeCommit });
    expect(await status()).toBe('');
    expect((await readdir(app)).sort()).toEqual(['.git', '.gitignore', 'a.txt', 'dir', 'new.txt']);
    expect(await stockGit(app, ['log', '-1', '--format=%H', '--first-parent'])).toBe(merge.mergeCommit);
    expect(await stockGit(app, ['reflog', '-1', 'main', '--format=%gs'])).toBe(`multi-agent: merge ${HEAD}`);
  });

  it('runs no hook, no filter, no monitor of the user', async () => {
    const canary = path.join(directory.path, 'canary');
    const script = path.join(directory.path, 'script');
    await writeFile(script, `#!/bin/sh\ntouch ${canary}\ncat\n`);
    await chmod(script, 0o755);
    for (const hook of HOOKS) {
      await writeFile(path.join(app, '.git/hooks', hook), `#!/bin/sh\ntouch ${canary}\n`);
      await chmod(path.join(app, '.git/hooks', hook), 0o755);
    }
    await appendFile(
      path.join(app, '.git/config'),
      `[core]\n\tfsmonitor = ${script}\n\tsshCommand = ${script}\n[filter "x"]\n\tclean = ${script}\n\tsmudge = ${script}\n\tprocess = ${script}\n[diff]\n\texternal = ${script}\n[uploadpack]\n\tpackObjectsHook = ${script}\n`,
    );
    await writeFile(path.join(app, '.git/info/attributes'), '* filter=x\n');

    const landing = await forge.land(mirrored, await prepare());

    expect(landing.type).toBe('landed');
    expect(await readdir(directory.path)).not.toContain('canary');
    expect(await readFile(path.join(app, 'new.txt'), 'utf8')).toBe('new.txt of the change\n');
  });

  const dirt: [string, () => Promise<void>, string[]][] = [
    ['a changed file', () => writeFile(path.join(app, 'a.txt'), 'mine\n'), ['a.txt']],
    ['a changed file that the merge leaves alone', () => writeFile(path.join(app, '.gitignore'), 'mine\n'), ['.gitignore']],
    [
      'a staged file',
      async () => {
        await writeFiles(app, { 'staged.txt': 'mine\n' });
        await stockGit(app, ['add', 'staged.txt']);
      },
      ['staged.txt'],
    ],
    ['a deleted file', () => rm(path.join(app, 'a.txt')), ['a.txt']],
    ['an untracked file where the merge brings one', () => writeFile(path.join(app, 'new.txt'), 'mine\n'), ['new.txt']],
    ['a merge that is not finished', () => writeFile(path.join(app, '.git/MERGE_HEAD'), `${start}\n`), ['MERGE_HEAD']],
  ];

  it.each(dirt)('leaves everything as it is because of %s', async (_, make, paths) => {
    const merge = await prepare();
    await make();
    const before = await status();

    expect(await forge.land(mirrored, merge)).toEqual({ type: 'dirty_tree', location: app, paths });
    expect(await status()).toBe(before);
    expect(await main()).toBe(start);
  });

  it('leaves everything as it is because of untracked files in a directory that becomes a file', async () => {
    const merge = await prepare();
    await writeFile(path.join(app, 'dir/mine'), 'mine\n');

    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'dirty_tree' });
    expect(await readFile(path.join(app, 'dir/mine'), 'utf8')).toBe('mine\n');
    expect(await readFile(path.join(app, 'a.txt'), 'utf8')).toBe('one\n');
    expect(await main()).toBe(start);
  });

  it('is not hindered by other untracked and ignored files', async () => {
    const merge = await prepare();
    await writeFiles(app, { 'notes.txt': 'mine\n', 'x.env': 'mine\n' });

    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'landed' });
    expect(await status()).toBe('?? notes.txt');
  });

  it('goes on after a crash between the tree and the ref', async () => {
    const merge = await prepare();
    await stockGit(app, ['fetch', '-q', mirrored.mirror, `+refs/bases/*:refs/x/*`]);
    const mirror = createGit({ gitDir: mirrored.mirror });
    await mirror.run(['update-ref', 'refs/heads/crash', merge.mergeCommit]);
    await stockGit(app, ['fetch', '-q', mirrored.mirror, 'crash']);
    await stockGit(app, ['read-tree', '-m', '-u', start, merge.mergeCommit]);

    expect(await forge.land(mirrored, merge)).toEqual({ type: 'landed', mergeCommit: merge.mergeCommit });
    expect(await status()).toBe('');
    expect(await main()).toBe(merge.mergeCommit);
  });

  it('takes the tree back when the refs can not move', async () => {
    const merge = await prepare();
    await mkdir(path.join(app, '.git/refs/heads/multi-agent'), { recursive: true });
    await writeFile(path.join(app, `.git/refs/heads/${HEAD}.lock`), '');

    await expect(forge.land(mirrored, merge)).rejects.toMatchObject({ code: 'repository_locked' });

    expect(await status()).toBe('');
    expect(await main()).toBe(start);
    await rm(path.join(app, `.git/refs/heads/${HEAD}.lock`));
    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'landed' });
  });

  it('waits for a user who holds the index', async () => {
    const merge = await prepare();
    await writeFile(path.join(app, '.git/index.lock'), '');

    await expect(forge.land(mirrored, merge)).rejects.toMatchObject({ code: 'repository_locked' });
    expect(await main()).toBe(start);
  });

  it('says where a branch has gone', async () => {
    const merge = await prepare();
    await stockGit(app, ['checkout', '-q', '-b', 'other']);
    await stockGit(app, ['branch', '-q', '-D', 'main']);

    await expect(forge.land(mirrored, merge)).rejects.toMatchObject({ code: 'base_not_found' });
  });

  it('leaves a tree alone that has another branch checked out', async () => {
    const merge = await prepare();
    await stockGit(app, ['checkout', '-q', '-b', 'other']);
    await writeFile(path.join(app, 'a.txt'), 'mine\n');

    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'landed' });
    expect(await status()).toBe('M a.txt');
    expect(await main()).toBe(merge.mergeCommit);
  });

  it('takes a linked worktree along, and respects its changes', async () => {
    const linked = path.join(directory.path, 'linked');
    await stockGit(app, ['checkout', '-q', '-b', 'other']);
    await stockGit(app, ['worktree', 'add', '-q', linked, 'main']);
    const merge = await prepare();
    await writeFile(path.join(linked, 'a.txt'), 'mine\n');

    const dirty = await forge.land(mirrored, merge);
    await stockGit(linked, ['checkout', '-q', 'a.txt']);
    const landed = await forge.land(mirrored, merge);

    expect(dirty).toEqual({ type: 'dirty_tree', location: linked, paths: ['a.txt'] });
    expect(landed).toMatchObject({ type: 'landed' });
    expect(await stockGit(linked, ['status', '--porcelain'])).toBe('');
    expect((await forge.open({ kind: 'local', url: linked })).key).toBe(mirrored.key);
  });

  it('ignores a linked worktree that was deleted by hand', async () => {
    const linked = path.join(directory.path, 'linked');
    await stockGit(app, ['checkout', '-q', '-b', 'other']);
    await stockGit(app, ['worktree', 'add', '-q', linked, 'main']);
    const merge = await prepare();
    await rm(linked, { recursive: true });

    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'landed' });
  });

  it.each(['HEAD', 'commondir', 'gitdir'])('waits for no FIFO where a linked worktree has its %s', async (name) => {
    const linked = path.join(directory.path, 'linked');
    await stockGit(app, ['checkout', '-q', '-b', 'other']);
    await stockGit(app, ['worktree', 'add', '-q', linked, 'main']);
    const merge = await prepare();
    await makeFifo(path.join(app, '.git/worktrees/linked', name));

    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'landed' });
  });

  it.each(['HEAD', 'commondir', 'config', 'packed-refs'])('refuses a repository with a FIFO for its %s', async (name) => {
    await makeFifo(path.join(app, '.git', name));

    await expect(forge.open({ kind: 'local', url: app })).rejects.toMatchObject({ code: 'repository_not_readable' });
  });

  it('keeps our branch where somebody has it checked out', async () => {
    const merge = await prepare();
    await stockGit(app, ['worktree', 'add', '-q', path.join(directory.path, 'look'), HEAD]);

    expect(await forge.land(mirrored, merge)).toMatchObject({ type: 'landed' });
    expect(await stockGit(app, ['rev-parse', HEAD])).toBe(merge.headCommit);
  });

  it('finds a merge in a base that was rewritten', async () => {
    const merge = await prepare();
    await forge.land(mirrored, merge);

    expect(await forge.findMerge(mirrored, 'main', merge.headCommit, '1'.repeat(40))).toBe(merge.mergeCommit);
    expect(await forge.findMerge(mirrored, 'main', start, '1'.repeat(40))).toBeNull();
  });

  it('fetches a base that was rewritten and whose old commits are gone', async () => {
    await forge.fetchBase(mirrored, 'main', AT);
    await stockGit(app, ['commit', '-q', '--amend', '-m', 'rewritten']);
    await stockGit(app, ['reflog', 'expire', '--expire=now', '--all']);
    await stockGit(app, ['gc', '-q', '--prune=now']);

    expect((await forge.fetchBase(mirrored, 'main', AT)).commit).toBe(await main());
  });

  it('says when another branch is in the way of ours', async () => {
    const { commit } = await forge.fetchBase(mirrored, 'main', AT);
    await stockGit(app, ['branch', 'multi-agent']);

    await expect(forge.publishBranch(mirrored, HEAD, commit, null)).rejects.toMatchObject({ code: 'branch_conflict' });
  });

  it('knows a repository by its real path', async () => {
    const moved = path.join(directory.path, 'moved');
    await rename(app, moved);

    await expect(forge.open({ kind: 'local', url: app })).rejects.toMatchObject({ code: 'repository_not_found' });
    expect((await forge.open({ kind: 'local', url: moved })).key).not.toBe(mirrored.key);
    expect((await forge.open({ kind: 'local', url: path.join(moved, '.git') })).key).toBe(
      (await forge.open({ kind: 'local', url: moved })).key,
    );
  });

  it.each([
    ['a plain directory', (at: string) => mkdir(at), 'repository_not_found'],
    ['a .git file that leads nowhere', async (at: string) => writeFiles(at, { '.git': 'gitdir: /nonexistent\n' }), 'repository_not_found'],
    ['a .git file with something else in it', async (at: string) => writeFiles(at, { '.git': 'x' }), 'repository_not_found'],
    [
      'a broken repository',
      async (at: string) => writeFiles(at, { '.git/config': 'broken [', '.git/HEAD': 'x', '.git/objects/x': '', '.git/refs/x': '' }),
      'repository_not_readable',
    ],
    [
      'a repository with a reftable',
      async (at: string) => {
        await makeRepository(at);
        await writeFiles(at, { '.git/reftable/tables.list': '' });
      },
      'repository_not_readable',
    ],
    [
      'a shallow clone',
      async (at: string) => {
        await commitFiles(app, { 'a.txt': 'two\n' }, 'two');
        await stockGit(directory.path, ['clone', '-q', '--depth=1', `file://${app}`, at]);
      },
      'repository_not_readable',
    ],
  ])('refuses %s', async (_, make, code) => {
    const at = path.join(directory.path, 'refused');
    await make(at);

    await expect(forge.open({ kind: 'local', url: at })).rejects.toMatchObject({ code });
  });

  it('asks for a branch where HEAD names none', async () => {
    await stockGit(app, ['checkout', '-q', '--detach']);

    await expect(forge.fetchBase(mirrored, undefined, AT)).rejects.toMatchObject({ code: 'base_not_found' });
  });

  it('knows only its own kind, numbers that exist and branches of jobs', async () => {
    const review = { round: 1, decision: 'APPROVE' as const, headCommit: start, summary: '', comments: [] };

    await expect(forge.open({ kind: 'github', url: 'https://github.com/o/r' })).rejects.toMatchObject({ code: 'repository_not_found' });
    await expect(forge.postReview(mirrored, 99, review)).rejects.toMatchObject({ code: 'change_request_not_found' });
    expect(await forge.findChangeRequest(mirrored, 'feature/x')).toBeNull();
  });

  describe('with an empty repository', () => {
    it.each([
      ['checked out', [] as string[]],
      ['bare', ['--bare']],
      ['with SHA-256', ['--object-format=sha256']],
    ])('%s: makes its first commit, once', async (_, options) => {
      const empty = path.join(directory.path, 'empty');
      await stockGit(directory.path, ['init', '-q', '-b', 'trunk', ...options, empty]);
      const repository = await forge.open({ kind: 'local', url: empty });

      const bases = await Promise.all([AT, AT + 5_000, AT + 10_000].map((at) => forge.fetchBase(repository, undefined, at)));

      const tip = await stockGit(empty, ['rev-parse', 'trunk']);
      expect(bases).toEqual([1, 2, 3].map(() => ({ branch: 'trunk', commit: tip })));
      expect(await stockGit(empty, ['rev-list', '--count', 'trunk'])).toBe('1');
    });

    it('leaves what lies in its tree, and lands on it', async () => {
      const empty = path.join(directory.path, 'empty');
      await stockGit(directory.path, ['init', '-q', '-b', 'main', empty]);
      await writeFiles(empty, { 'notes.txt': 'mine\n' });
      mirrored = await forge.open({ kind: 'local', url: empty });
      const { commit: base } = await forge.fetchBase(mirrored, 'main', AT);
      const git = createGit({ gitDir: mirrored.mirror });
      const blob = await git.run(['hash-object', '-w', '--stdin'], { input: 'x\n' });
      const tree = await git.run(['mktree'], { input: `100644 blob ${blob.stdout.trim()}\tx\n` });
      const head = await writeCommit(git, { tree: tree.stdout.trim(), parents: [base], message: 'x', at: AT });
      await forge.publishBranch(mirrored, HEAD, head, null);

      expect(await forge.land(mirrored, await mergeOf(base, head))).toMatchObject({ type: 'landed' });
      expect((await readdir(empty)).sort()).toEqual(['.git', 'notes.txt', 'x']);
      expect(await stockGit(empty, ['status', '--porcelain'])).toBe('?? notes.txt');
    });
  });

  describe("of another user's", () => {
    it('names both users when we are not root', () => {
      expect(() => ownerToRunAs('/r', 0, 0, 65_534)).toThrow(/belongs to the user root, and the repo-manager runs as nobody/);
      expect(() => ownerToRunAs('/r', 4_242, 0, 65_534)).toThrow(/uid 4242/);
      expect(ownerToRunAs('/r', 7, 8, 0)).toEqual({ uid: 7, gid: 8 });
      expect(ownerToRunAs('/r', 7, 8, 7)).toBeUndefined();
    });

    const asRoot = process.getuid?.() === 0 ? it : it.skip;
    const nobody = { uid: 65_534, gid: 65_534 };

    async function giveAway(): Promise<void> {
      for (const entry of [
        { parentPath: directory.path, name: 'app' },
        ...(await readdir(app, { withFileTypes: true, recursive: true })),
      ]) {
        await chown(path.join(entry.parentPath, entry.name), nobody.uid, nobody.gid);
      }
    }

    asRoot('gives them nothing to write in that we write in as root', async () => {
      await giveAway();
      const repository = await findLocalRepository(app);
      const [checkout] = await findCheckouts(repository, 'main');
      if (!checkout) throw new Error('main is not checked out');
      const umask = process.umask(0o077);

      const plant = await withShadow(repository, checkout, start, async (git, setHead) => {
        const { gitDir } = git.location;
        const planted = await promisify(execFile)('ln', ['-sf', '/dev/null', path.join(gitDir, 'HEAD')], nobody).then(() => 'done', String);
        await setHead(start);
        const { stdout } = await git.run(['status', '--porcelain=v1', '--untracked-files=no'], { env: { GIT_OPTIONAL_LOCKS: '1' } });
        return { planted, stdout, head: await readFile(path.join(gitDir, 'HEAD'), 'utf8') };
      }).finally(() => process.umask(umask));

      expect(plant).toMatchObject({ stdout: '', head: `${start}\n` });
      expect(plant.planted).toContain('Permission denied');
    });

    asRoot('writes as that user when we are root', async () => {
      await giveAway();

      const landing = await forge.land(mirrored, await prepare());

      expect(landing).toMatchObject({ type: 'landed' });
      expect(await stockGit(app, ['status', '--porcelain'], nobody)).toBe('');
      expect(await stockGit(app, ['fsck', '--strict'], nobody)).toBe('');
      expect(execFileSync('find', [app, '!', '-uid', '65534'], { encoding: 'utf8' })).toBe('');
    });
  });
});

async function makeFifo(file: string): Promise<void> {
  await rm(file, { force: true });
  await promisify(execFile)('mkfifo', [file]);
}
