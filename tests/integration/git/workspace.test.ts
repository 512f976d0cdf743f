import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Git } from '../../../src/shared/git/git.ts';
import { createGit } from '../../../src/shared/git/git.ts';
import { listWorkspaces, sweepWorkspaces } from '../../../src/shared/git/sweep.ts';
import { transferObjects } from '../../../src/shared/git/transfer.ts';
import { commitFiles, makeCached, makeDirectory, stockGit, take, TASK } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

describe('workspaces', () => {
  let directory: { path: string; remove: () => Promise<void> };
  let home: string;
  let repository: string;
  let cache: Git;
  let commit: string;

  beforeEach(async () => {
    directory = await makeDirectory();
    home = directory.path;
    ({ repository, cache, commit } = await makeCached(home, {
      'a.txt': 'one\n',
      'sub/b.txt': 'two\n',
      '.gitignore': 'ignored/\n',
      '.gitattributes': '* filter=planted\n',
    }));
  });
  afterEach(() => directory.remove());

  const pool = () => readdir(path.join(home, 'pool', 'app-1')).catch(() => []);

  it('gives the runner a tree with a git of its own', async () => {
    const workspace = await take(home, cache, commit);

    expect(workspace.directory).toBe(path.join(home, 'worktrees', `${TASK}.1.coder-1`));
    expect(await readFile(path.join(workspace.tree, 'sub/b.txt'), 'utf8')).toBe('two\n');
    expect(await stockGit(workspace.tree, ['status', '--porcelain'])).toBe('');
    expect(await stockGit(workspace.tree, ['log', '--format=%H'])).toBe(commit);
    await commitFiles(workspace.tree, { 'new.txt': 'x\n' }, 'by the runner');
    expect(await stockGit(workspace.tree, ['branch', '--show-current'])).toBe('multi-agent');
  });

  it('takes a tree of the pool again, clean and at another commit', async () => {
    const first = await take(home, cache, commit);
    await writeFile(path.join(first.tree, 'a.txt'), 'dirty\n');
    await mkdir(path.join(first.tree, 'ignored/deep'), { recursive: true });
    await writeFile(path.join(first.tree, 'ignored/deep/x'), 'x');
    await writeFile(path.join(first.tree, 'untracked'), 'x');
    await mkdir(path.join(first.tree, 'nested/.git'), { recursive: true });
    await mkdir(path.join(first.tree, 'sub/.git/hooks'), { recursive: true });
    await rm(path.join(first.tree, 'sub/b.txt'));
    await first.release('normal');
    const newer = await commitFiles(repository, { 'a.txt': 'newer\n' }, 'newer');
    await transferObjects(createGit({ gitDir: path.join(repository, '.git') }), cache, [newer], { known: [commit] });

    const idle = await readdir(path.join(home, 'pool/app-1/0/tree'));
    const second = await take(home, cache, newer, 2);

    expect(idle.sort()).toEqual(['.gitattributes', '.gitignore', 'a.txt', 'sub']);
    expect(second.reused).toBe(true);
    expect(await readFile(path.join(second.tree, 'a.txt'), 'utf8')).toBe('newer\n');
    expect((await readdir(second.tree)).sort()).toEqual(['.git', '.gitattributes', '.gitignore', 'a.txt', 'sub']);
    expect(await readdir(path.join(second.tree, 'sub'))).toEqual(['b.txt']);
    expect(await stockGit(second.tree, ['status', '--porcelain'])).toBe('');
    expect(await readdir(path.join(home, 'worktrees'))).toEqual([`${TASK}.2.coder-1`]);
  });

  it('sees a file that was changed behind its dates', async () => {
    const first = await take(home, cache, commit);
    const file = path.join(first.tree, 'a.txt');
    await writeFile(file, 'ONE\n');
    await utimes(file, 1, 1);
    await first.release('normal');

    const second = await take(home, cache, commit, 2);

    expect(await readFile(path.join(second.tree, 'a.txt'), 'utf8')).toBe('one\n');
  });

  it('keeps two idle trees and deletes the rest', async () => {
    const taken = await Promise.all([1, 2, 3].map((attempt) => take(home, cache, commit, attempt)));

    await Promise.all(taken.map((workspace) => workspace.release('normal')));

    expect((await pool()).sort()).toEqual(['0', '1']);
    expect(await readdir(path.join(home, 'worktrees'))).toEqual([]);
  });

  it('gives one idle tree to one of several takers', async () => {
    await (await take(home, cache, commit)).release('normal');

    const taken = await Promise.all([2, 3, 4, 5].map((attempt) => take(home, cache, commit, attempt)));

    expect(taken.filter((workspace) => workspace.reused)).toHaveLength(1);
    expect(await pool()).toEqual([]);
  });

  it('leaves that of another agent alone which has the same number', async () => {
    const first = await take(home, cache, commit, 2);

    const second = await take(home, cache, commit, 2, undefined, 'coder-2');

    expect(second.directory).not.toBe(first.directory);
    for (const { tree } of [first, second]) expect(await stockGit(tree, ['status', '--porcelain'])).toBe('');
    await first.release('abandoned');
    expect((await listWorkspaces(home)).map(({ owner }) => owner.agentId)).toEqual(['coder-2']);
  });

  it('deletes an abandoned one', async () => {
    const workspace = await take(home, cache, commit);

    await workspace.release('abandoned');
    await workspace.release('normal');

    expect(await pool()).toEqual([]);
    expect(await readdir(path.join(home, 'worktrees'))).toEqual([]);
  });

  it('deletes one whose tree was replaced by a symlink, and nothing behind that', async () => {
    const workspace = await take(home, cache, commit);
    await mkdir(path.join(home, 'precious'));
    await writeFile(path.join(home, 'precious/file'), 'x');
    await rename(workspace.tree, path.join(home, 'moved'));
    await symlink(path.join(home, 'precious'), workspace.tree);

    await workspace.release('normal');

    expect(await readdir(path.join(home, 'precious'))).toEqual(['file']);
    expect(await pool()).toEqual([]);
  });

  it('gets rid of a directory nobody may enter', async () => {
    const workspace = await take(home, cache, commit);
    await mkdir(path.join(workspace.tree, 'locked/in'), { recursive: true });
    await chmod(path.join(workspace.tree, 'locked'), 0o000);

    await workspace.release('abandoned');

    expect(await readdir(path.join(home, 'worktrees'))).toEqual([]);
  });

  it('makes an idle tree anew that is damaged', async () => {
    await (await take(home, cache, commit)).release('normal');
    await writeFile(path.join(home, 'pool/app-1/0/index'), 'no index');

    const workspace = await take(home, cache, commit, 2);

    expect(await stockGit(workspace.tree, ['status', '--porcelain'])).toBe('');
  });

  it('leaves nothing when it fails', async () => {
    await expect(take(home, cache, '1'.repeat(40))).rejects.toMatchObject({ code: 'git_failed' });

    expect(await readdir(path.join(home, 'worktrees'))).toEqual([]);
  });

  it('sweeps what an earlier incarnation left, and nothing else', async () => {
    await take(home, cache, commit, 1);
    await take(home, cache, commit, 2);
    for (const name of ['old/file', 'now/file', `.new-coder-1-${String(process.pid)}-a1B2c3`, '.new-coder-1-1-a1B2c3', 'empty'])
      await mkdir(path.join(home, 'worktrees', name), { recursive: true });
    await utimes(path.join(home, 'worktrees/old'), 1, 1);

    const swept = await sweepWorkspaces(home, ({ name, owner }) => name.endsWith('.1.coder-1') || owner.pid === 1);

    const begun = `.new-coder-1-${String(process.pid)}-a1B2c3`;
    expect(swept).toEqual(['.new-coder-1-1-a1B2c3', 'empty', `${TASK}.1.coder-1`, 'old']);
    expect((await listWorkspaces(home)).map(({ name, owner }) => [name, owner.agentId])).toEqual([
      [begun, 'coder-1'],
      [`${TASK}.2.coder-1`, 'coder-1'],
    ]);
    expect((await readdir(path.join(home, 'worktrees'))).sort()).toEqual([begun, `${TASK}.2.coder-1`, 'now']);
  });

  it('says whose it is until all else of it is deleted', async () => {
    const workspace = await take(home, cache, commit);
    await mkdir(path.join(workspace.tree, 'many'));
    for (let n = 0; n < 1_000; n++) await writeFile(path.join(workspace.tree, 'many', String(n)), '');

    const removal = workspace.release('abandoned');
    const seen: string[][] = [];
    while (existsSync(workspace.directory)) {
      seen.push(await readdir(workspace.directory).catch(() => []));
    }
    await removal;

    expect(seen.filter((names) => names.includes('tree')).length).toBeGreaterThan(1);
    expect(seen.filter((names) => names.length > 0 && !names.includes('owner.json'))).toEqual([]);
  });

  it('sweeps nothing where there is nothing', async () => {
    expect(await sweepWorkspaces(path.join(home, 'none'), () => true)).toEqual([]);
  });
});
