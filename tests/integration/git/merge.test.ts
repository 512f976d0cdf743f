import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { recordChange } from '../../../src/shared/git/change.ts';
import { diffOf, filesChangedBetween } from '../../../src/shared/git/diff.ts';
import { createGit, type Git } from '../../../src/shared/git/git.ts';
import { commitExists, isAncestor, missingObjects, readFileAt, treeOf } from '../../../src/shared/git/inspect.ts';
import { createMergeCommit, mergeTrees } from '../../../src/shared/git/merge.ts';
import { writeCommit } from '../../../src/shared/git/objects.ts';
import { refusedEntry } from '../../../src/shared/git/refused-entries.ts';
import { transferObjects } from '../../../src/shared/git/transfer.ts';
import type { Workspace } from '../../../src/shared/git/workspace.ts';
import { AT, commitFiles, makeCached, makeDirectory, stockGit, take } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

describe('merging and reading', () => {
  let directory: { path: string; remove: () => Promise<void> };
  let repository: string;
  let cache: Git;
  let start: string;

  beforeEach(async () => {
    directory = await makeDirectory();
    ({
      repository,
      cache,
      commit: start,
    } = await makeCached(directory.path, { 'a.txt': 'a\nb\nc\n', 'gone.txt': 'x\n', 'bin.dat': 'x\0y' }));
  });
  afterEach(() => directory.remove());

  async function commitOn(branch: string, files: Record<string, string>, remove: string[] = []): Promise<string> {
    await stockGit(repository, ['checkout', '-q', '-B', branch, start]);
    for (const file of remove) await stockGit(repository, ['rm', '-q', file]);
    const commit = await commitFiles(repository, files, `on ${branch}`);
    await transferObjects(createGit({ gitDir: path.join(repository, '.git') }), cache, [commit], { known: [start] });
    return commit;
  }

  it('merges without a worktree, and makes the same commit twice', async () => {
    const base = await commitOn('base', { 'b.txt': 'b\n' });
    const head = await commitOn('head', { 'a.txt': 'a\nB\nc\n' });

    const merged = await mergeTrees(cache, base, head);
    const commits = await Promise.all(
      [1, 2].map(() => createMergeCommit(cache, { tree: merged.tree, parents: [base, head], message: 'Merge\n\nBody ü', at: AT })),
    );

    expect(merged.type).toBe('clean');
    expect(commits[0]).toBe(commits[1]);
    const text = (await cache.run(['cat-file', 'commit', commits[0] ?? ''])).stdout;
    expect(text).toBe(
      `tree ${merged.tree}\nparent ${base}\nparent ${head}\nauthor multi-agent <multi-agent@localhost> 1700000000 +0000\ncommitter multi-agent <multi-agent@localhost> 1700000000 +0000\n\nMerge\n\nBody ü\n`,
    );
    await cache.run(['fsck', '--strict']);
  });

  it('tells a conflict with its sides, and marks it in the tree', async () => {
    const base = await commitOn('base', { 'a.txt': 'a\nbase\nc\n', 'bin.dat': 'x\0base' });
    const head = await commitOn('head', { 'a.txt': 'a\nhead\nc\n', 'gone.txt': 'changed\n', 'bin.dat': 'x\0head' });
    const removing = await commitOn('removing', { 'a.txt': 'a\nremoving\nc\n' }, ['gone.txt']);

    const merged = await mergeTrees(cache, head, base);
    const removed = await mergeTrees(cache, head, removing);

    if (merged.type !== 'conflicted' || removed.type !== 'conflicted') throw new Error('it merged');
    expect(merged.conflicts[0]).toEqual({ path: 'a.txt', base: 'a\nb\nc\n', ours: 'a\nhead\nc\n', theirs: 'a\nbase\nc\n' });
    expect(merged.conflicts[1]).toMatchObject({ path: 'bin.dat', ours: '(binary, 6 bytes)' });
    expect(merged.messages.some((message) => message.includes('a.txt'))).toBe(true);
    expect(removed.conflicts).toContainEqual({ path: 'gone.txt', base: 'x\n', ours: 'changed\n', theirs: null });
    const text = (await cache.run(['cat-file', 'blob', `${merged.tree}:a.txt`])).stdout;
    expect(text).toMatch(/^a\n<{7} .*\nhead\n\|{7} .*\nb\n={7}\nbase\n>{7} .*\nc\n$/);
  });

  it('leads a conflict round from markers to a commit with both parents', async () => {
    const base = await commitOn('base', { 'a.txt': 'a\nbase\nc\n' });
    const head = await commitOn('head', { 'a.txt': 'a\nhead\nc\n' });
    const merged = await mergeTrees(cache, head, base);
    const workspace = await take(directory.path, cache, head, 1, merged.tree);
    const request = { parents: [head, base], message: 'Resolve', at: AT, conflictPaths: ['a.txt', 'not-there'] };

    const untouched = await recordChange(workspace, request);
    await writeFile(path.join(workspace.tree, 'b.txt'), 'b\n');
    const half = await recordChange(workspace, request);
    await writeFile(path.join(workspace.tree, 'a.txt'), 'a\nboth\nc\n');
    const resolved = await recordChange(workspace, request);

    expect(untouched).toBeNull();
    expect(half?.conflictMarkers).toEqual(['a.txt']);
    expect(resolved?.conflictMarkers).toEqual([]);
    expect(await isAncestor(cache, base, resolved?.commit ?? '')).toBe(true);
    expect((await mergeTrees(cache, base, resolved?.commit ?? '')).type).toBe('clean');
  });

  describe("in a conflict round, of what is the user's own on the base", () => {
    let workspace: Workspace;
    let parents: [string, string];
    const record = () => recordChange(workspace, { parents, message: 'Resolve', at: AT });
    const judge = (commit: string) => refusedEntry(cache, parents[0], { to: commit, mergedWith: parents[1] });

    beforeEach(async () => {
      const head = await commitOn('head', { 'a.txt': 'a\nhead\nc\n' });
      await commitOn('base', { 'a.txt': 'a\nbase\nc\n' });
      await symlink('/etc/hostname', path.join(repository, 'host'));
      await stockGit(repository, ['add', 'host']);
      await stockGit(repository, ['update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor`]);
      await stockGit(repository, ['commit', '-q', '-m', "the user's own"]);
      const base = await stockGit(repository, ['rev-parse', 'HEAD']);
      await transferObjects(createGit({ gitDir: path.join(repository, '.git') }), cache, [base], { known: [start] });
      const merged = await mergeTrees(cache, head, base);
      workspace = await take(directory.path, cache, head, 1, merged.tree);
      parents = [head, base];
      await writeFile(path.join(workspace.tree, 'a.txt'), 'a\nboth\nc\n');
    });

    it('takes submodules and links out of the tree as they are there', async () => {
      const change = await record();

      const kept = (await cache.run(['ls-tree', '--format=%(objectmode) %(path)', change?.tree ?? ''])).stdout.split('\n');
      expect(kept).toEqual(expect.arrayContaining(['160000 vendor', '120000 host']));
      expect(await judge(change?.commit ?? '')).toBeNull();
    });

    it('refuses a link out of the tree that is another one', async () => {
      await rm(path.join(workspace.tree, 'host'));
      await symlink('/etc/passwd', path.join(workspace.tree, 'host'));
      const blob = (await cache.run(['hash-object', '-w', '--stdin'], { input: '/etc/passwd' })).stdout.trim();
      const tree = (await cache.run(['mktree'], { input: `120000 blob ${blob}\thost\n` })).stdout.trim();
      const commit = await writeCommit(cache, { tree, parents, message: 'x', at: AT });

      await expect(record()).rejects.toMatchObject({ code: 'symlink_refused' });
      expect(await judge(commit)).toMatchObject({ code: 'symlink_refused' });
    });

    it('refuses a submodule at another commit', async () => {
      const tree = (await cache.run(['mktree', '--missing'], { input: `160000 commit ${'2'.repeat(40)}\tvendor\n` })).stdout.trim();
      const commit = await writeCommit(cache, { tree, parents, message: 'x', at: AT });

      expect(await judge(commit)).toMatchObject({ code: 'submodule_refused' });
    });
  });

  it('records what a runner changed: the same twice, with its own commits folded in', async () => {
    const workspace = await take(directory.path, cache, start);
    await commitFiles(workspace.tree, { 'n.txt': 'n\n' }, 'mine\n\nwith a body');
    await stockGit(workspace.tree, ['mv', 'a.txt', 'renamed.txt']);
    await writeFile(path.join(workspace.tree, 'bin.dat'), 'x\0z');
    const request = { parents: [start], message: 'Change', at: AT };

    const change = await recordChange(workspace, request);
    const again = await recordChange(workspace, request);

    expect(again).toEqual(change);
    expect(change?.filesChanged).toEqual([
      { path: 'bin.dat', status: 'modified', additions: 0, deletions: 0 },
      { path: 'n.txt', status: 'added', additions: 1, deletions: 0 },
      { path: 'renamed.txt', status: 'renamed', additions: 0, deletions: 0 },
    ]);
    expect(change?.runnerCommits.map(({ message }) => message)).toEqual(['mine\n\nwith a body']);
    expect(await filesChangedBetween(cache, start, change?.commit ?? '')).toEqual(change?.filesChanged);
  });

  it('says that nothing was changed', async () => {
    const workspace = await take(directory.path, cache, start);
    await writeFile(path.join(workspace.tree, 'a.txt'), await readFile(path.join(workspace.tree, 'a.txt')));

    expect(await recordChange(workspace, { parents: [start], message: 'Change', at: AT })).toBeNull();
  });

  it('shows what a branch changed since it left its base, and cuts what is too long', async () => {
    await commitOn('base', { 'b.txt': 'b\n' });
    const base = await commitOn('base', { 'c.txt': 'c\n' });
    const head = await commitOn('head', { 'a.txt': 'new line\n'.repeat(500) });

    const diff = await diffOf(cache, base, head);
    const cut = await diffOf(cache, base, head, 1_000);

    expect(diff).toContain('+new line');
    expect(diff).not.toContain('c.txt');
    expect(cut.length).toBeLessThan(1_100);
    expect(cut.trimEnd().split('\n').at(-1)).toBe('(the diff is longer than 1000 bytes and was cut here)');
    await expect(diffOf(cache, '1'.repeat(40), head)).rejects.toMatchObject({ code: 'git_failed' });
  });

  it('reads files and commits', async () => {
    const commit = await commitOn('x', { '.multi-agent.json': '{"checks":[]}', 'dir/file': 'x' });

    expect(await readFileAt(cache, commit, '.multi-agent.json')).toBe('{"checks":[]}');
    expect(await readFileAt(cache, commit, 'dir')).toBeNull();
    expect(await readFileAt(cache, commit, 'no')).toBeNull();
    await expect(readFileAt(cache, commit, '.multi-agent.json', 3)).rejects.toMatchObject({ code: 'git_output_too_long' });
    expect(await commitExists(cache, commit)).toBe(true);
    expect(await commitExists(cache, await treeOf(cache, commit))).toBe(false);
    expect(await missingObjects(cache, [commit, '1'.repeat(40)])).toEqual(['1'.repeat(40)]);
    expect(await isAncestor(cache, commit, start)).toBe(false);
  });
});
