import { z } from 'zod';
import { type ChangeRequest, type CheckResult, type CommitSummary, type Failure, type FileChange } from './change.ts';
import { BundleRef } from './bundle.ts';
import { type RepositorySettings } from './feature.ts';
import { CommitId, Instant, TaskId, TaskRole } from './ids.ts';
import { JobEvent } from './event.ts';
import { Priority } from './priority.ts';
import { Review } from './review.ts';

/**
 * What a decision asks the repo-manager to do. Each is idempotent, and stands in the job's record until it is done: a
 * crash at any point leads to its being carried out again, never to its being forgotten.
 */
export const Effect = z.discriminatedUnion('type', [
  /** Find the repository, the base branch and its newest commit, and read its settings there. */
  z.strictObject({ type: z.literal('PrepareRepository') }),
  /** Put the task's bundle and message out. */
  z.strictObject({
    type: z.literal('SendTask'),
    taskId: TaskId,
    role: TaskRole,
    round: z.number().int().positive(),
    dispatch: z.number().int().positive(),
    /** Attempts before this dispatch: the next one is numbered above it. */
    attemptsBefore: z.number().int().nonnegative(),
    priority: Priority,
  }),
  /** Take an agent's commits into the mirror and pin them. */
  z.strictObject({
    type: z.literal('AcceptWork'),
    taskId: TaskId,
    dispatch: z.number().int().positive(),
    bundle: BundleRef,
    /** What the commits must descend from. */
    startCommit: CommitId,
    headCommit: CommitId,
  }),
  /** Move the job's branch to its head and make sure that there is a change request. */
  z.strictObject({ type: z.literal('ProposeChange'), headCommit: CommitId, previousHead: CommitId.nullable() }),
  z.strictObject({ type: z.literal('PostReview'), review: Review }),
  /** Merge the judged head, tested together with the newest base. */
  z.strictObject({
    type: z.literal('MergeChange'),
    headCommit: CommitId,
    /** The merge commit's date: part of the record, so that a repetition makes the same commit. */
    at: Instant,
  }),
  /** Make sure that nobody works on this dispatch of the task, or on an earlier one. */
  z.strictObject({
    type: z.literal('RevokeTask'),
    taskId: TaskId,
    dispatch: z.number().int().positive(),
    /** Where its message lies, if that is known. */
    streamSeq: z.number().int().positive().optional(),
  }),
  z.strictObject({ type: z.literal('PublishEvent'), event: JobEvent }),
  /** The job has ended: remove what it used (claims, pins, its place among the open jobs). */
  z.strictObject({ type: z.literal('CloseJob'), merged: z.boolean() }),
]);
export type Effect = z.infer<typeof Effect>;

/** How an effect ended, as far as the next decision depends on it. */
export type EffectOutcome =
  | { readonly type: 'Done' }
  | {
      readonly type: 'RepositoryPrepared';
      readonly host: string;
      readonly base: string;
      readonly baseCommit: CommitId;
      /** What the job's branch has already, where there is one: of a job whose record was lost. */
      readonly headCommit?: CommitId;
      readonly settings: RepositorySettings;
    }
  | { readonly type: 'TaskSent'; readonly streamSeq: number }
  | {
      readonly type: 'WorkAccepted';
      readonly headCommit: CommitId;
      readonly commits: CommitSummary[];
      readonly filesChanged: FileChange[];
    }
  | { readonly type: 'ChangeProposed'; readonly changeRequest: ChangeRequest }
  | { readonly type: 'Merged'; readonly mergeCommit: CommitId; readonly baseCommit: CommitId; readonly checks: CheckResult[] }
  /** `settings`: those on that base, which hold from the round on that merges it in. */
  | {
      readonly type: 'MergeConflicted';
      readonly baseCommit: CommitId;
      readonly settings: RepositorySettings;
      readonly paths: readonly string[];
    }
  | {
      readonly type: 'MergeCheckFailed';
      readonly baseCommit: CommitId;
      readonly settings: RepositorySettings;
      readonly checks: CheckResult[];
    }
  | { readonly type: 'TreeDirty'; readonly location: string; readonly paths: readonly string[] }
  | { readonly type: 'HeadMoved'; readonly headCommit: CommitId }
  /** It can't be done, and trying again changes nothing. */
  | { readonly type: 'Refused'; readonly error: Failure };

export interface EffectReport {
  readonly effectId: number;
  readonly outcome: EffectOutcome;
  readonly at: Instant;
}
