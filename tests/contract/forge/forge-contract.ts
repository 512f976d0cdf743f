import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Forge, MergeRequest, MirroredRepository } from '../../../src/shared/forge/forge.ts';
import type { Repository } from '../../../src/shared/domain/feature.ts';
import { createGit } from '../../../src/shared/git/git.ts';
import { createMergeCommit, mergeTrees } from '../../../src/shared/git/merge.ts';
import { branchOf } from '../../../src/shared/domain/ids.ts';
import { AT, JOB, OTHER_JOB } from '../../integration/git/fixtures.ts';

// Dozens of git processes on a machine that others use too.
jest.setTimeout(60_000);

/** One repository on a forge, and what a user does with it behind our back. */
export interface ForgeWorld {
  readonly forge: Forge;
  readonly repository: Repository;
  /** Commits on a branch of the forge's repository and gives the commit. */
  commitOn(branch: string, file: string, text: string): Promise<string>;
  /** What a branch of the forge's repository points at, null for nothing. */
  branch(name: string): Promise<string | null>;
  /** The text of a file at the head of a branch there. */
  fileOn(branch: string, file: string): Promise<string>;
  /** Makes a commit in the mirror only: a file changed on top of a parent. */
  propose(mirror: string, parent: string, file: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

/** What every forge must do, whatever it is (forge.ts). */
export function forgeContract(name: string, setup: () => Promise<ForgeWorld>): void {
  describe(`the forge contract: ${name}`, () => {
    const head = branchOf(JOB);
    let world: ForgeWorld;
    let mirrored: MirroredRepository;

    beforeEach(async () => {
      world = await setup();
      mirrored = await world.forge.open(world.repository);
    });
    afterEach(() => world.remove());

    async function mergeOf(headCommit: string, baseCommit: string, number = 1): Promise<MergeRequest> {
      const mirror = createGit({ gitDir: mirrored.mirror });
      const merged = await mergeTrees(mirror, baseCommit, headCommit);
      const mergeCommit = await createMergeCommit(mirror, {
        tree: merged.tree,
        parents: [baseCommit, headCommit],
        message: 'Merge',
        at: AT,
      });
      return { jobId: JOB, number, base: 'main', baseCommit, head, headCommit, mergeCommit, at: AT };
    }

    async function proposed(file = 'b.txt'): Promise<{ baseCommit: string; headCommit: string }> {
      const base = await world.forge.fetchBase(mirrored, undefined, AT);
      const headCommit = await world.propose(mirrored.mirror, base.commit, file, 'new\n');
      await world.forge.publishBranch(mirrored, head, headCommit, null);
      return { baseCommit: base.commit, headCommit };
    }

    const change = (headCommit: string, jobId = JOB) => ({
      jobId,
      title: 'A title',
      body: 'A body',
      head: branchOf(jobId),
      headCommit,
      base: 'main',
    });

    it('opens a repository twice as the same one', async () => {
      const again = await world.forge.open(world.repository);

      expect(again).toEqual(mirrored);
      expect(mirrored.key).toMatch(/^[a-z0-9][a-z0-9-]*$/);
    });

    it('brings the newest commit of the default branch into the mirror', async () => {
      const first = await world.forge.fetchBase(mirrored, undefined, AT);
      const second = await world.commitOn('main', 'c.txt', 'c\n');
      const newest = await world.forge.fetchBase(mirrored, 'main', AT);

      expect(first.branch).toBe('main');
      expect(newest).toEqual({ branch: 'main', commit: second });
      await expect(createGit({ gitDir: mirrored.mirror }).run(['rev-list', '--objects', second])).resolves.toMatchObject({ exitCode: 0 });
    });

    it('says that a base is not there', async () => {
      await expect(world.forge.fetchBase(mirrored, 'nothing', AT)).rejects.toMatchObject({ code: 'base_not_found' });
    });

    it('publishes our branch, twice the same, and moves it on', async () => {
      const { headCommit } = await proposed();
      await world.forge.publishBranch(mirrored, head, headCommit, null);
      const second = await world.propose(mirrored.mirror, headCommit, 'b.txt', 'newer\n');
      await world.forge.publishBranch(mirrored, head, second, headCommit);

      expect(await world.branch(head)).toBe(second);
      expect(await world.fileOn(head, 'b.txt')).toBe('newer\n');
      expect(await world.forge.fetchHead(mirrored, head)).toBe(second);
    });

    it('refuses to publish over what it does not know', async () => {
      const { baseCommit, headCommit } = await proposed();
      const other = await world.propose(mirrored.mirror, baseCommit, 'z.txt', 'z\n');

      const publishing = world.forge.publishBranch(mirrored, head, other, baseCommit);

      await expect(publishing).rejects.toMatchObject({ code: 'branch_conflict' });
      expect(await world.branch(head)).toBe(headCommit);
    });

    it('lets one of ten racing publications win', async () => {
      const base = await world.forge.fetchBase(mirrored, undefined, AT);
      const commits = await Promise.all(
        [...Array(10).keys()].map((n) => world.propose(mirrored.mirror, base.commit, 'b.txt', `${String(n)}\n`)),
      );

      const outcomes = await Promise.allSettled(commits.map((commit) => world.forge.publishBranch(mirrored, head, commit, null)));

      const winners = commits.filter((_, at) => outcomes[at]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(await world.branch(head)).toBe(winners[0]);
    });

    it('finds no head where there is no branch', async () => {
      expect(await world.forge.fetchHead(mirrored, head)).toBeNull();
    });

    it('opens one change request a job, however often and at once', async () => {
      const { headCommit } = await proposed();

      const opened = await Promise.all([1, 2, 3, 4].map(() => world.forge.openChangeRequest(mirrored, change(headCommit))));
      const later = await world.forge.openChangeRequest(mirrored, change(headCommit));

      expect(new Set([...opened, later].map((request) => request.number)).size).toBe(1);
      expect(later).toMatchObject({ head, headCommit, base: 'main', state: 'open', merged: false });
      expect(await world.forge.findChangeRequest(mirrored, head)).toEqual(later);
    });

    it('gives two jobs two numbers, and finds nothing for a third', async () => {
      const { headCommit } = await proposed();

      const one = await world.forge.openChangeRequest(mirrored, change(headCommit));
      const two = await world.forge.openChangeRequest(mirrored, change(headCommit, OTHER_JOB));

      expect(one.number).not.toBe(two.number);
      expect(await world.forge.findChangeRequest(mirrored, branchOf('job-01BX5ZZKBKACTAV9WEVGEMMVS0'))).toBeNull();
    });

    it('takes a verdict twice', async () => {
      const { headCommit } = await proposed();
      const { number } = await world.forge.openChangeRequest(mirrored, change(headCommit));
      const review = { round: 1, decision: 'APPROVE' as const, headCommit, summary: 'fine', comments: [] };

      await world.forge.postReview(mirrored, number, review);
      await world.forge.postReview(mirrored, number, { ...review, summary: 'again' });

      expect(await world.forge.findChangeRequest(mirrored, head)).toMatchObject({ number, state: 'open' });
    });

    it('lands a merge, removes our branch, and says so again when asked again', async () => {
      const { baseCommit, headCommit } = await proposed();
      const { number } = await world.forge.openChangeRequest(mirrored, change(headCommit));
      const merge = await mergeOf(headCommit, baseCommit, number);

      const landed = await world.forge.land(mirrored, merge);
      const again = await world.forge.land(mirrored, merge);

      expect([landed, again]).toEqual([{ type: 'landed', mergeCommit: merge.mergeCommit }, landed]);
      expect(await world.branch('main')).toBe(merge.mergeCommit);
      expect(await world.branch(head)).toBeNull();
      expect(await world.fileOn('main', 'b.txt')).toBe('new\n');
      expect(await world.forge.findMerge(mirrored, 'main', headCommit, baseCommit)).toBe(merge.mergeCommit);
      expect(await world.forge.findChangeRequest(mirrored, head)).toMatchObject({
        state: 'merged',
        mergeCommit: merge.mergeCommit,
        headCommit,
      });
    });

    it('leaves no branch of a change that is merged, whoever comes late to publish it', async () => {
      const { baseCommit, headCommit } = await proposed();
      const { number } = await world.forge.openChangeRequest(mirrored, change(headCommit));
      await world.forge.land(mirrored, await mergeOf(headCommit, baseCommit, number));

      await world.forge.publishBranch(mirrored, head, headCommit, null);
      await world.forge.publishBranch(mirrored, head, headCommit, baseCommit);

      expect(await world.branch(head)).toBeNull();
    });

    it('does not land on a base that moved', async () => {
      const { baseCommit, headCommit } = await proposed();
      const merge = await mergeOf(headCommit, baseCommit);
      const moved = await world.commitOn('main', 'c.txt', 'c\n');

      const landing = await world.forge.land(mirrored, merge);

      expect(landing).toEqual({ type: 'base_moved' });
      expect(await world.branch('main')).toBe(moved);
      expect(await world.branch(head)).toBe(headCommit);
      expect(await world.forge.findMerge(mirrored, 'main', headCommit, baseCommit)).toBeNull();
    });

    it('does not land a head that was not judged', async () => {
      const { baseCommit, headCommit } = await proposed();
      const merge = await mergeOf(headCommit, baseCommit);
      const newer = await world.propose(mirrored.mirror, headCommit, 'b.txt', 'not judged\n');
      await world.forge.publishBranch(mirrored, head, newer, headCommit);

      const landing = await world.forge.land(mirrored, merge);

      expect(landing).toEqual({ type: 'head_moved', headCommit: newer });
      expect(await world.branch('main')).toBe(baseCommit);
    });

    it('lets exactly one of ten racing merges land, each time', async () => {
      let { commit } = await world.forge.fetchBase(mirrored, 'main', AT);
      for (let round = 1; round <= 3; round++) {
        const merges = await racingMerges(commit, round);

        const landings = await Promise.all(merges.map((merge) => world.forge.land(mirrored, merge)));

        const winners = merges.filter((_, at) => landings[at]?.type === 'landed');
        expect(winners).toHaveLength(1);
        expect(landings.filter(({ type }) => type === 'base_moved')).toHaveLength(9);
        commit = winners[0]?.mergeCommit ?? '';
        expect(await world.branch('main')).toBe(commit);
      }
    });

    async function racingMerges(baseCommit: string, round: number): Promise<MergeRequest[]> {
      return Promise.all(
        [...Array(10).keys()].map(async (n) => {
          const jobId = `job-0000000000000000000000000${String(n)}`;
          const headCommit = await world.propose(mirrored.mirror, baseCommit, `round-${String(round)}-${String(n)}.txt`, 'x\n');
          return { ...(await mergeOf(headCommit, baseCommit)), jobId, head: branchOf(jobId) };
        }),
      );
    }

    it('lists the commits of a change, oldest first', async () => {
      const { baseCommit, headCommit } = await proposed();
      const second = await world.propose(mirrored.mirror, headCommit, 'b.txt', 'newer\n');

      const commits = await world.forge.listCommits(mirrored, baseCommit, second);

      expect(commits.map(({ id }) => id)).toEqual([headCommit, second]);
      expect(commits[0]?.message).toBe('change b.txt');
    });
  });
}
