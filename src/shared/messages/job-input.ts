import { z } from 'zod';
import { BundleRef } from '../domain/bundle.ts';
import { CheckResult, CommitSummary, Failure, FileChange, Usage } from '../domain/change.ts';
import { AgentId, CommitId, Instant, JobId, TaskId } from '../domain/ids.ts';
import { Review } from '../domain/review.ts';
import { envelope } from './envelope.ts';

const report = {
  ...envelope,
  jobId: JobId,
  taskId: TaskId,
  dispatch: z.number().int().positive(),
  attempt: z.number().int().positive(),
  agentId: AgentId,
  at: Instant,
};

const work = {
  bundle: BundleRef,
  startCommit: CommitId,
  headCommit: CommitId,
};

export const TaskStarted = z.strictObject({ ...report, type: z.literal('TaskStarted') });
export type TaskStarted = z.infer<typeof TaskStarted>;

export const ImplementationResult = z.strictObject({
  ...report,
  type: z.literal('ImplementationResult'),
  ...work,
  summary: z.string().max(100_000),
  commits: z.array(CommitSummary),
  filesChanged: z.array(FileChange),
  checks: z.array(CheckResult),
  usage: Usage,
});
export type ImplementationResult = z.infer<typeof ImplementationResult>;

export const ReviewResult = z.strictObject({ ...report, type: z.literal('ReviewResult'), review: Review, usage: Usage });
export type ReviewResult = z.infer<typeof ReviewResult>;

/** The task ended without a result. What there is of the work comes along, and is kept on the job's branch. */
export const TaskFailed = z.strictObject({
  ...report,
  type: z.literal('TaskFailed'),
  error: Failure,
  usage: Usage,
  checks: z.array(CheckResult).optional(),
  work: z.strictObject(work).optional(),
});
export type TaskFailed = z.infer<typeof TaskFailed>;

/**
 * What an attempt has cost so far, told after each run of its runner: it may never come to a result (a retry later, a task that is
 * handed back, an agent that dies). Counts even where the attempt has been replaced, or the job has ended.
 */
export const UsageReported = z.strictObject({
  ...report,
  type: z.literal('UsageReported'),
  usage: Usage,
  /** How many runs of the runner that covers. */
  runs: z.number().int().positive(),
});
export type UsageReported = z.infer<typeof UsageReported>;

const command = { ...envelope, jobId: JobId, commandId: z.string().min(1).max(100), at: Instant };

export const StopJob = z.strictObject({ ...command, type: z.literal('StopJob') });
export const ApproveJob = z.strictObject({ ...command, type: z.literal('ApproveJob'), headCommit: CommitId.optional() });
export const RejectJob = z.strictObject({
  ...command,
  type: z.literal('RejectJob'),
  /** The commit that was looked at. */
  headCommit: CommitId.optional(),
  comment: z.string().trim().min(1).max(20_000),
});
export const RetryJob = z.strictObject({ ...command, type: z.literal('RetryJob') });

export const CommandMessage = z.discriminatedUnion('type', [StopJob, ApproveJob, RejectJob, RetryJob]);
export type CommandMessage = z.infer<typeof CommandMessage>;

/** What an agent reports. */
export const AgentReport = z.discriminatedUnion('type', [TaskStarted, ImplementationResult, ReviewResult, TaskFailed, UsageReported]);
export type AgentReport = z.infer<typeof AgentReport>;

/** Everything that goes through INPUTS. */
export const InputMessage = z.discriminatedUnion('type', [...AgentReport.options, ...CommandMessage.options]);
export type InputMessage = z.infer<typeof InputMessage>;
