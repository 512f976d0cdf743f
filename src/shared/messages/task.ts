import { z } from 'zod';
import { BundleRef } from '../domain/bundle.ts';
import { CheckResult } from '../domain/change.ts';
import { BranchName, Feature, RepositorySettings, Workflow } from '../domain/feature.ts';
import { CommitId, Instant, JobId, TaskId } from '../domain/ids.ts';
import { Priority } from '../domain/priority.ts';
import { Review } from '../domain/review.ts';
import { envelope } from './envelope.ts';

const task = {
  ...envelope,
  jobId: JobId,
  taskId: TaskId,
  round: z.number().int().positive(),
  dispatch: z.number().int().positive(),
  /** The attempt that takes this up is numbered above it. */
  attemptsBefore: z.number().int().nonnegative(),
  priority: Priority,
  repositoryKey: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  feature: Feature,
  workflow: Workflow,
  baseBranch: BranchName,
  baseCommit: CommitId,
  settings: RepositorySettings,
  /** Earlier verdicts, oldest first. */
  reviews: z.array(Review),
  /** Absent where the agents' caches are expected to have everything already; `bundles.need` makes one. */
  bundle: BundleRef.optional(),
  /** Key of all bundles of this dispatch (AES-256-GCM, base64): whoever pulled the task reads its code, nobody else. */
  bundleKey: z.base64(),
  /** When the job was submitted: commits are dated from it, so that a repeated attempt gives the same commit. */
  jobCreatedAt: Instant,
};

export const ImplementationRequest = z.strictObject({
  ...task,
  type: z.literal('ImplementationRequest'),
  /** Where the work starts: the head of the job's branch, or the base commit in the first round. */
  startCommit: CommitId,
  /** Conflict round: the base commit to merge into the workspace first. */
  mergeWith: CommitId.optional(),
  /** Of the last round, or of the merge that failed. */
  checks: z.array(CheckResult).optional(),
});
export type ImplementationRequest = z.infer<typeof ImplementationRequest>;

export const ReviewRequest = z.strictObject({
  ...task,
  type: z.literal('ReviewRequest'),
  headCommit: CommitId,
  summary: z.string(),
  checks: z.array(CheckResult),
});
export type ReviewRequest = z.infer<typeof ReviewRequest>;

export const TaskMessage = z.discriminatedUnion('type', [ImplementationRequest, ReviewRequest]);
export type TaskMessage = z.infer<typeof TaskMessage>;

/** Core request to a repo-manager: make me the bundle of this task for a cache that has only `have`. */
export const BundleNeed = z.strictObject({
  ...envelope,
  type: z.literal('BundleNeed'),
  jobId: JobId,
  taskId: TaskId,
  dispatch: z.number().int().positive(),
  attempt: z.number().int().positive(),
  have: z.array(CommitId).max(50),
});
export type BundleNeed = z.infer<typeof BundleNeed>;

export const BundleAnswer = z.discriminatedUnion('type', [
  z.strictObject({ ...envelope, type: z.literal('BundleMade'), bundle: BundleRef }),
  z.strictObject({ ...envelope, type: z.literal('BundleRefused'), code: z.string(), message: z.string() }),
]);
export type BundleAnswer = z.infer<typeof BundleAnswer>;
