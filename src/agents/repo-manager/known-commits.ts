import type { CommitId } from '../../shared/domain/ids.ts';

/**
 * Commits that some agent's cache is known to have, because it sent work that is built on them. A bundle that leaves them
 * out is small; an agent that lacks them after all asks for a fuller one (`bundles.need`). Nothing breaks when this is
 * forgotten: the next bundle is a full one.
 */
export interface KnownCommits {
  add(repositoryKey: string, ...commits: readonly CommitId[]): void;
  of(repositoryKey: string): readonly CommitId[];
}

const REMEMBERED = 16;

export function createKnownCommits(): KnownCommits {
  const known = new Map<string, CommitId[]>();
  return {
    add: (key, ...commits) => {
      const others = (known.get(key) ?? []).filter((commit) => !commits.includes(commit));
      known.set(key, [...others, ...commits].slice(-REMEMBERED));
    },
    of: (key) => known.get(key) ?? [],
  };
}
