import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { branchOf } from '../../../src/shared/domain/ids.ts';
import type { Forge, MirroredRepository } from '../../../src/shared/forge/forge.ts';
import { createLocalForge } from '../../../src/shared/forge/local/local-forge.ts';
import { createPublications } from '../../../src/shared/forge/local/publications.ts';
import { createGit } from '../../../src/shared/git/git.ts';
import { createMergeCommit, mergeTrees } from '../../../src/shared/git/merge.ts';
import { writeCommit } from '../../../src/shared/git/objects.ts';
import { AT, commitFiles, JOB, makeDirectory, makeRepository, OTHER_JOB, stockGit } from './fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

const HEAD = branchOf(JOB);

describe('a branch that is published after its merge', () => {
  let directory: { path: string; remove: () => Promise<void> };
  let app: string;
  let forge: Forge;
  let mirrored: MirroredRepository;
  /** The heads of two rounds; the second was merged. */
  let heads: readonly [string, string];

  beforeEach(async () => {
    directory = await makeDirectory();
    app = path.join(directory.path, 'app');
    await makeRepository(app, { 'a.txt': 'one\n' });
    forge = createLocalForge({ home: path.join(directory.path, 'ma') });
    mirrored = await forge.open({ kind: 'local', url: app });
    heads = await mergedJob();
  });
  afterEach(() => directory.remove());

  const notes = path.join('ma', 'forge', '.publishing');
  const left = () => readdir(path.join(directory.path, notes));
  const branches = () => stockGit(app, ['branch', '--list', 'multi-agent/*', '--format=%(refname:short)']);
  const dead = () => spawnSync(process.execPath, ['--version']).pid;
  const note = async (pid: number, jobId = JOB, text = JSON.stringify({ jobId, url: app })): Promise<void> => {
    await mkdir(path.join(directory.path, notes), { recursive: true });
    await writeFile(path.join(directory.path, notes, `${String(pid)}.earlier.${jobId}.json`), text);
  };

  async function mergedJob(): Promise<readonly [string, string]> {
    const { commit: baseCommit } = await forge.fetchBase(mirrored, 'main', AT);
    const mirror = createGit({ gitDir: mirrored.mirror });
    const first = await commitIn(mirror, baseCommit, 'first\n');
    const second = await commitIn(mirror, first, 'second\n');
    await forge.publishBranch(mirrored, HEAD, first, null);
    await forge.publishBranch(mirrored, HEAD, second, first);
    const change = { jobId: JOB, title: 't', body: 'b', head: HEAD, headCommit: second, base: 'main' };
    const { number } = await forge.openChangeRequest(mirrored, change);
    const { tree } = await mergeTrees(mirror, baseCommit, second);
    const mergeCommit = await createMergeCommit(mirror, { tree, parents: [baseCommit, second], message: 'Merge', at: AT });
    await forge.land(mirrored, { jobId: JOB, number, base: 'main', baseCommit, head: HEAD, headCommit: second, mergeCommit, at: AT });
    return [first, second];
  }

  async function commitIn(mirror: ReturnType<typeof createGit>, parent: string, text: string): Promise<string> {
    const blob = await mirror.run(['hash-object', '-w', '--stdin'], { input: text });
    const tree = await mirror.run(['mktree'], { input: `100644 blob ${blob.stdout.trim()}\ta.txt\n` });
    return writeCommit(mirror, { tree: tree.stdout.trim(), parents: [parent], message: 'work', at: AT });
  }

  it('is removed, whichever round it shows, and leaves no note', async () => {
    for (const head of heads) {
      await stockGit(app, ['branch', HEAD, head]);

      await forge.removeMergedBranch(mirrored, HEAD);

      expect(await branches()).toBe('');
    }
    expect(await left()).toEqual([]);
  });

  it('stays where it holds what was not merged', async () => {
    await stockGit(app, ['checkout', '-q', '-b', HEAD, heads[1]]);
    await commitFiles(app, { 'b.txt': 'by hand\n' }, 'by hand');
    await stockGit(app, ['checkout', '-q', 'main']);

    await forge.removeMergedBranch(mirrored, HEAD);

    expect(await branches()).toBe(HEAD);
  });

  it('is found at the next start, where its process was killed over it', async () => {
    await note(dead());
    await stockGit(app, ['branch', HEAD, heads[0]]);

    await createLocalForge({ home: path.join(directory.path, 'ma') }).settleBegun();

    expect(await branches()).toBe('');
    expect(await left()).toEqual([]);
  });

  it('is found though its process had the number that this one has, as the first of a container has each time', async () => {
    await note(process.pid);
    await stockGit(app, ['branch', HEAD, heads[0]]);

    await forge.settleBegun();

    expect(await left()).toEqual([]);
    expect(await branches()).toBe('');
  });

  it('is not forgotten while this process is at it', async () => {
    const publications = createPublications(path.join(directory.path, 'ma'));
    await publications.begin({ jobId: JOB, url: app });

    expect(await publications.left()).toEqual([]);
    await publications.end(JOB);

    expect(await left()).toEqual([]);
  });

  it('is left alone while its process lives, or while it was not merged', async () => {
    await note(process.ppid);
    await note(dead(), OTHER_JOB);
    for (const name of [HEAD, branchOf(OTHER_JOB)]) await stockGit(app, ['branch', name, heads[0]]);

    await forge.settleBegun();

    expect((await branches()).split('\n').sort()).toEqual([HEAD, branchOf(OTHER_JOB)].sort());
    expect(await left()).toEqual([`${String(process.ppid)}.earlier.${JOB}.json`]);
  });

  it('is no matter where the repository is gone, or the note was cut off', async () => {
    await note(dead(), JOB, JSON.stringify({ jobId: JOB, url: path.join(directory.path, 'gone') }));
    await note(dead(), OTHER_JOB, '{"jobId"');

    await forge.settleBegun();

    expect(await left()).toEqual([]);
  });
});
