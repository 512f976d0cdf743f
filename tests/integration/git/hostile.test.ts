import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type RecordedChange, recordChange } from '../../../src/shared/git/change.ts';
import { createGit, type Git } from '../../../src/shared/git/git.ts';
import { transferObjects } from '../../../src/shared/git/transfer.ts';
import type { Workspace } from '../../../src/shared/git/workspace.ts';
import { AT, makeCached, makeDirectory, makeRepository, stockGit, take, writeFiles } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

/** Everything a runner may do to what it was given. Each attack drops a canary if anything of it is run. */
describe('a hostile runner', () => {
  let directory: { path: string; remove: () => Promise<void> };
  let home: string;
  let cache: Git;
  let workspace: Workspace;
  let canary: string;
  let script: string;
  const dotGit = (...name: string[]) => path.join(workspace.tree, '.git', ...name);
  const file = (...name: string[]) => path.join(workspace.tree, ...name);

  beforeEach(async () => {
    directory = await makeDirectory();
    home = directory.path;
    const cached = await makeCached(home, { 'a.txt': 'one\n', 'd/x.txt': 'x\n' });
    cache = cached.cache;
    workspace = await take(home, cache, cached.commit);
    canary = path.join(home, 'canary');
    script = path.join(home, 'attack.sh');
    await writeFile(script, `#!/bin/sh\ntouch ${canary}\ncat\n`);
    await chmod(script, 0o755);
  });
  afterEach(() => directory.remove());

  const record = (): Promise<RecordedChange | null> => recordChange(workspace, { parents: [workspace.commit], message: 'Change', at: AT });
  const paths = (change: RecordedChange | null) => change?.filesChanged.map((changed) => changed.path);

  async function nothingRan(): Promise<void> {
    await workspace.release('normal');
    const again = await take(home, cache, workspace.commit, 2);
    expect(await readdir(home)).not.toContain('canary');
    expect(await stockGit(again.tree, ['status', '--porcelain'])).toBe('');
    await again.release('normal');
    expect(await readdir(home)).not.toContain('canary');
  }

  const configured: [string, (script: string) => string][] = [
    ['a clean filter', (run) => `[filter "x"]\n\tclean = ${run}\n\tsmudge = ${run}\n\trequired = true\n`],
    ['a filter process', (run) => `[filter "x"]\n\tprocess = ${run}\n`],
    ['a file system monitor', (run) => `[core]\n\tfsmonitor = ${run}\n`],
    ['an external diff', (run) => `[diff]\n\texternal = ${run}\n[diff "x"]\n\tcommand = ${run}\n\ttextconv = ${run}\n`],
    ['a hooks path', (run) => `[core]\n\thooksPath = ${path.dirname(run)}\n`],
    ['an ssh command, an editor, a pager', (run) => `[core]\n\tsshCommand = ${run}\n\teditor = ${run}\n\tpager = ${run}\n`],
    ['a merge driver', (run) => `[merge "x"]\n\tdriver = ${run}\n`],
    ['a signing program', (run) => `[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = ${run}\n`],
    ['an alias and an included file', (run) => `[alias]\n\tadd = !${run}\n[include]\n\tpath = /etc/passwd\n`],
    ['another work tree', () => `[core]\n\tworktree = /etc\n`],
  ];

  it.each(configured)('gets nothing run by %s', async (_, config) => {
    await appendFile(dotGit('config'), config(script));
    await writeFiles(workspace.tree, { '.gitattributes': '* filter=x diff=x merge=x\n', 'a.txt': 'two\n', 'b.txt': 'new\n' });

    const change = await record();

    expect(paths(change)).toEqual(['.gitattributes', 'a.txt', 'b.txt']);
    expect((await cache.run(['show', `${change?.commit ?? ''}:a.txt`])).stdout).toBe('two\n');
    await nothingRan();
  });

  it('gets no hook run', async () => {
    const hooks = ['pre-commit', 'post-index-change', 'reference-transaction', 'post-checkout', 'fsmonitor-watchman', 'pre-auto-gc'];
    await mkdir(dotGit('hooks'), { recursive: true });
    for (const hook of hooks) {
      await writeFile(dotGit('hooks', hook), `#!/bin/sh\ntouch ${canary}\n`);
      await chmod(dotGit('hooks', hook), 0o755);
    }
    await writeFile(file('a.txt'), 'two\n');

    expect(paths(await record())).toEqual(['a.txt']);
    await nothingRan();
  });

  it('may replace its .git by a file that points elsewhere', async () => {
    await rm(dotGit(), { recursive: true });
    await makeRepository(path.join(home, 'evil'), { x: 'x' });
    await appendFile(path.join(home, 'evil/.git/config'), `[core]\n\tfsmonitor = ${script}\n`);
    await writeFile(dotGit(), `gitdir: ${path.join(home, 'evil/.git')}\n`);
    await writeFile(file('a.txt'), 'two\n');

    expect(paths(await record())).toEqual(['a.txt']);
    await nothingRan();
  });

  it('may replace its .git by a symlink', async () => {
    await rm(dotGit(), { recursive: true });
    await makeRepository(path.join(home, 'evil'), { x: 'x' });
    await symlink(path.join(home, 'evil/.git'), dotGit());
    await writeFile(file('a.txt'), 'two\n');

    const change = await record();

    expect(paths(change)).toEqual(['a.txt']);
    expect(change?.runnerCommits).toEqual([]);
    await nothingRan();
    expect(await readdir(path.join(home, 'evil/.git'))).toContain('HEAD');
  });

  it('may delete its .git', async () => {
    await rm(dotGit(), { recursive: true });
    await writeFile(file('a.txt'), 'two\n');

    expect(paths(await record())).toEqual(['a.txt']);
  });

  it('may lie about its HEAD', async () => {
    await writeFile(file('a.txt'), 'two\n');
    for (const head of ['ref: refs/heads/../../../../etc/passwd', '--upload-pack=x', 'ref: refs/heads/nothing', '1'.repeat(40), '']) {
      await writeFile(dotGit('HEAD'), head);

      expect((await record())?.runnerCommits).toEqual([]);
    }
  });

  it('may put a FIFO where a file of its .git was', async () => {
    await rm(dotGit('HEAD'));
    execFileSync('mkfifo', [dotGit('HEAD')]);
    await writeFile(file('a.txt'), 'two\n');

    expect(paths(await record())).toEqual(['a.txt']);
    await nothingRan();
  });

  it('may replace refs and plant grafts and alternates', async () => {
    await mkdir(dotGit('refs/replace'), { recursive: true });
    await writeFile(dotGit('refs/replace', workspace.commit), `${'2'.repeat(40)}\n`);
    await writeFile(dotGit('info/grafts'), `${workspace.commit}\n`);
    await appendFile(dotGit('objects/info/alternates'), '/nonexistent/objects\n');
    await writeFile(file('a.txt'), 'two\n');

    const change = await record();

    expect(change?.filesChanged).toEqual([{ path: 'a.txt', status: 'modified', additions: 1, deletions: 1 }]);
  });

  it('is refused a nested repository', async () => {
    await makeRepository(file('nested'), { x: 'x' });
    await appendFile(file('nested/.git/config'), `[core]\n\tfsmonitor = ${script}\n`);

    await expect(record()).rejects.toMatchObject({ code: 'submodule_refused', details: { path: 'nested' } });
    await nothingRan();
  });

  it('is refused an empty nested repository', async () => {
    await stockGit(workspace.tree, ['init', '-q', 'nested']);

    await expect(record()).rejects.toMatchObject({ code: 'submodule_refused' });
    await nothingRan();
  });

  it('keeps the files of a tracked directory that it made a repository', async () => {
    await stockGit(file('d'), ['init', '-q']);
    await appendFile(file('d/.git/config'), `[core]\n\tfsmonitor = ${script}\n[filter "x"]\n\tclean = ${script}\n`);
    await writeFile(file('d/x.txt'), 'changed\n');

    expect(paths(await record())).toEqual(['d/x.txt']);
    await nothingRan();
  });

  it.each([
    ['an absolute symlink', 'a-link', '/etc/passwd'],
    ['a symlink upwards', 'a-link', '../outside'],
    ['a symlink upwards from a directory', 'd/a-link', '../../outside'],
    ['a symlink that goes down and up', 'a-link', 'd/../../outside'],
    ['a symlink into .git', 'a-link', '.git/config'],
  ])('is refused %s', async (_, name, target) => {
    await symlink(target, file(name));

    await expect(record()).rejects.toMatchObject({ code: 'symlink_refused', details: { path: name, target } });
  });

  it('may have symlinks that stay, dangling ones too', async () => {
    await symlink('../a.txt', file('d/up'));
    await symlink('d/x.txt', file('down'));
    await symlink('not-there', file('dangling'));

    expect(paths(await record())).toEqual(['d/up', 'dangling', 'down']);
  });

  it('may replace a directory by a symlink and a file by a directory', async () => {
    await rename(file('d'), file('e'));
    await symlink('e', file('d'));
    await rm(file('a.txt'));
    await writeFiles(workspace.tree, { 'a.txt/inner': 'x\n' });

    const change = await record();

    const tree = await cache.run(['ls-tree', '-r', '--name-only', change?.tree ?? '']);
    expect(tree.stdout.split('\n').filter(Boolean)).toEqual(['a.txt/inner', 'd', 'e/x.txt']);
  });

  it('may name files as it likes', async () => {
    const names = [
      '--upload-pack=touch canary',
      ':(top)x',
      ' leading',
      'new\nline',
      '$(touch canary)',
      'n'.repeat(250),
      'ü.txt',
      'tab\there',
      '"quoted"',
      '-',
    ];
    for (const name of names) await writeFile(file(name), 'x\n');
    await writeFile(Buffer.concat([Buffer.from(`${workspace.tree}/`), Buffer.from([0x66, 0xff, 0x66])]), 'x\n');

    const change = await record();

    expect(paths(change)).toHaveLength(names.length + 1);
    expect(paths(change)).toEqual(expect.arrayContaining(names));
    await nothingRan();
  });

  it('may leave FIFOs and ignored files: they are no content', async () => {
    execFileSync('mkfifo', [file('d/fifo')]);
    await writeFiles(workspace.tree, { '.gitignore': 'build/\n', 'build/out': 'x' });

    expect(paths(await record())).toEqual(['.gitignore']);
    await nothingRan();
  });

  it('may leave attributes that change what git does', async () => {
    await writeFiles(workspace.tree, { '.gitattributes': '* text eol=crlf ident working-tree-encoding=UTF-16 -diff export-ignore\n' });
    await writeFiles(workspace.tree, {
      '.lfsconfig': '[lfs]\n\turl = ext::touch canary\n',
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n',
    });

    await record().catch(() => undefined);

    await nothingRan();
  });

  it('is told that its directory is gone', async () => {
    await rename(workspace.tree, path.join(home, 'elsewhere'));
    await symlink('/etc', workspace.tree);

    await expect(record()).rejects.toMatchObject({ code: 'workspace_damaged' });
  });

  it('gets nothing run in a submodule that the repository has', async () => {
    const { cache: other, commit } = await repositoryWithSubmodule();
    workspace = await take(path.join(home, 'sub'), other, commit);
    await rm(file('module'), { recursive: true, force: true });
    await makeRepository(file('module'), { x: 'x' });
    await writeFiles(workspace.tree, { 'module/.gitattributes': '* filter=x\n', 'module/x': 'changed' });
    await appendFile(file('module/.git/config'), `[core]\n\tfsmonitor = ${script}\n[filter "x"]\n\tclean = ${script}\n`);

    await expect(record()).rejects.toMatchObject({ code: 'submodule_refused' });
    expect(await readdir(home)).not.toContain('canary');
  });

  async function repositoryWithSubmodule(): Promise<{ cache: Git; commit: string }> {
    const cached = await makeCached(path.join(home, 'sub'), { 'a.txt': 'one\n' });
    await stockGit(cached.repository, ['update-index', '--add', '--cacheinfo', `160000,${'3'.repeat(40)},module`]);
    const tree = await stockGit(cached.repository, ['write-tree']);
    const commit = await stockGit(cached.repository, ['commit-tree', tree, '-p', cached.commit, '-m', 'module']);
    await transferObjects(createGit({ gitDir: path.join(cached.repository, '.git') }), cached.cache, [commit]);
    return { cache: cached.cache, commit };
  }
});
