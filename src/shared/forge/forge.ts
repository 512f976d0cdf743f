import type { ChangeRequest, CommitSummary } from '../domain/change.ts';
import type { Repository } from '../domain/feature.ts';
import type { CommitId, Instant, JobId } from '../domain/ids.ts';
import type { Review } from '../domain/review.ts';

/** A repository as the repo-manager works with it: the forge's own one and our bare mirror of it. */
export interface MirroredRepository {
  readonly repository: Repository;
  /** Safe in paths and in KV keys: `[a-z0-9][a-z0-9-]*`. */
  readonly key: string;
  /** Absolute path of the bare mirror; only the repo-manager reads or writes it. */
  readonly mirror: string;
}

export interface Base {
  readonly branch: string;
  readonly commit: CommitId;
}

export interface ProposedChange {
  readonly jobId: JobId;
  readonly title: string;
  readonly body: string;
  /** `multi-agent/<jobId>` */
  readonly head: string;
  readonly headCommit: CommitId;
  readonly base: string;
}

/** How moving the base ended. Everything but `landed` left the base as it was. */
export type Landing =
  | { readonly type: 'landed'; readonly mergeCommit: CommitId }
  /** The base is not `baseCommit` any more: build the merge again on the newest one. */
  | { readonly type: 'base_moved' }
  /** Our branch is not the judged head any more: what is there now has not been reviewed. */
  | { readonly type: 'head_moved'; readonly headCommit: CommitId }
  /** The base is checked out and has changes that are not committed (`paths`, at most 20). */
  | { readonly type: 'dirty_tree'; readonly location: string; readonly paths: readonly string[] };

export interface MergeRequest {
  readonly jobId: JobId;
  readonly number: number;
  readonly base: string;
  /** The base the merge was built on and tested with. */
  readonly baseCommit: CommitId;
  readonly head: string;
  readonly headCommit: CommitId;
  /** The tested merge commit, in the mirror; its parents are `[baseCommit, headCommit]`. */
  readonly mergeCommit: CommitId;
  readonly at: Instant;
}

/**
 * Where changes are proposed and merged. Only the repo-manager holds one.
 *
 * Every operation is idempotent: it looks up before it acts, and looks up again where the outcome of an earlier try is
 * unknown. Every one throws `RetryableError` for what may pass (a locked ref, a network) and `TerminalError` with one of
 * `repository_not_found`, `repository_not_readable`, `repository_owner`, `base_not_found`, `branch_conflict` for what won't.
 */
export interface Forge {
  readonly kind: Repository['kind'];
  /** Finds the repository and makes sure that its mirror exists. Cheap the second time. */
  open(repository: Repository): Promise<MirroredRepository>;
  /**
   * Brings the newest commit of `branch` (default: the repository's HEAD) into the mirror. A repository without any
   * commit gets its first, empty one, dated `at`.
   */
  fetchBase(repository: MirroredRepository, branch: string | undefined, at: Instant): Promise<Base>;
  /** Brings the commit at the head of our branch into the mirror; null where there is no such branch. */
  fetchHead(repository: MirroredRepository, head: string): Promise<CommitId | null>;
  /** Makes our branch point at `headCommit` (in the mirror). `expected` is what it pointed at before, null for nothing. */
  publishBranch(repository: MirroredRepository, head: string, headCommit: CommitId, expected: CommitId | null): Promise<void>;
  /** Finds the change request of `change.head`, or opens it: there is never a second one for a job. */
  openChangeRequest(repository: MirroredRepository, change: ProposedChange): Promise<ChangeRequest>;
  findChangeRequest(repository: MirroredRepository, head: string): Promise<ChangeRequest | null>;
  /** Adds the verdict to the change request, once for each round, head commit and decision: a person may decide otherwise. */
  postReview(repository: MirroredRepository, number: number, review: Review): Promise<void>;
  /** Moves the base to the tested merge commit by compare-and-swap and removes our branch, or does nothing. */
  land(repository: MirroredRepository, merge: MergeRequest): Promise<Landing>;
  /** The first-parent commit of `base` after `since` that merged `headCommit`, if there is one: has this job been merged already? */
  findMerge(repository: MirroredRepository, base: string, headCommit: CommitId, since: CommitId): Promise<CommitId | null>;
  /** The commits of the change, oldest first (at most 100). */
  listCommits(repository: MirroredRepository, base: CommitId, head: CommitId): Promise<readonly CommitSummary[]>;
  /** Removes our branch of a change that is merged, where it is still there, or again, and holds nothing but what was merged. */
  removeMergedBranch(repository: MirroredRepository, head: string): Promise<void>;
  /**
   * For the start of a process that has begun nothing yet: tidies up after those that are gone, which died over something that nobody comes
   * back to, for others have brought the job to its end meanwhile.
   */
  settleBegun(): Promise<void>;
}
