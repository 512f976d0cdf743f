import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { JobId } from '../../shared/domain/ids.ts';
import { createGit } from '../../shared/git/git.ts';
import { jobsWithPins, unpin } from '../../shared/git/refs.ts';

/** A job of which a mirror keeps commits. */
export interface PinnedJob {
  readonly jobId: JobId;
  unpin(): Promise<void>;
}

/** The jobs of which the mirrors of a home keep commits: those under way, and those that can be retried. */
export async function pinnedJobs(home: string): Promise<PinnedJob[]> {
  const mirrors = await readdir(path.join(home, 'mirrors')).catch(() => []);
  const pinned = await Promise.all(
    mirrors.map(async (name) => {
      const git = createGit({ gitDir: path.join(home, 'mirrors', name) });
      const jobs = (await jobsWithPins(git)).map((name) => JobId.safeParse(name));
      return jobs.flatMap(({ data: jobId }) => (jobId === undefined ? [] : [{ jobId, unpin: () => unpin(git, jobId) }]));
    }),
  );
  return pinned.flat();
}
