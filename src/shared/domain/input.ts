import type { BundleRef } from './bundle.ts';
import type { CheckResult, CommitSummary, Failure, FileChange, Usage } from './change.ts';
import type { EffectReport } from './effect.ts';
import type { Feature, Repository, Workflow } from './feature.ts';
import type { AgentId, CommitId, Instant, JobId, TaskId } from './ids.ts';
import type { Priority } from './priority.ts';
import type { Review } from './review.ts';

/** Which taking-up of which task a report is about. Reports of any but the newest one are ignored. */
export interface AttemptRef {
  readonly taskId: TaskId;
  readonly dispatch: number;
  readonly attempt: number;
}

export interface JobRequest {
  readonly jobId: JobId;
  readonly priority: Priority;
  readonly repository: Repository;
  readonly branch?: string | undefined;
  readonly feature: Feature;
  readonly workflow: Workflow;
  readonly key?: string | undefined;
  readonly submittedAt: Instant;
}

export interface FinishedWork extends AttemptRef {
  readonly bundle: BundleRef;
  readonly startCommit: CommitId;
  readonly headCommit: CommitId;
  readonly summary: string;
  readonly commits: readonly CommitSummary[];
  readonly filesChanged: readonly FileChange[];
  readonly checks: readonly CheckResult[];
  readonly usage: Usage;
}

/** What all of a person's commands carry. */
interface GivenCommand {
  readonly commandId: string;
  /** Where it lies in INPUTS: of two commands the one that was given later has the higher number, whichever comes first. */
  readonly seq?: number | undefined;
  readonly at: Instant;
}

/** Everything that can happen to a job. */
export type JobInput =
  | { readonly type: 'FeatureRequested'; readonly request: JobRequest; readonly at: Instant }
  | ({ readonly type: 'TaskStarted'; readonly agentId: AgentId; readonly at: Instant } & AttemptRef)
  | ({ readonly type: 'ImplementationFinished'; readonly at: Instant } & FinishedWork)
  | ({ readonly type: 'ReviewFinished'; readonly review: Review; readonly usage: Usage; readonly at: Instant } & AttemptRef)
  | ({
      readonly type: 'TaskFailed';
      readonly error: Failure;
      readonly usage: Usage;
      readonly checks?: readonly CheckResult[] | undefined;
      /** What there was of the work when it failed: it is kept on the job's branch. */
      readonly work?: Pick<FinishedWork, 'bundle' | 'startCommit' | 'headCommit'> | undefined;
      readonly at: Instant;
    } & AttemptRef)
  /** What an attempt has cost so far; it is still at work, or ended without a result. */
  | ({ readonly type: 'UsageReported'; readonly usage: Usage; readonly at: Instant } & AttemptRef)
  | ({ readonly type: 'StopRequested' } & GivenCommand)
  | ({ readonly type: 'ApproveRequested'; readonly headCommit?: CommitId | undefined } & GivenCommand)
  | ({ readonly type: 'RejectRequested'; readonly headCommit?: CommitId | undefined; readonly comment: string } & GivenCommand)
  | ({ readonly type: 'RetryRequested' } & GivenCommand)
  /** A look by the sweep: is the task's message still in the queue, or with an agent? */
  | { readonly type: 'Swept'; readonly taskMessage: 'present' | 'absent' | 'unknown'; readonly at: Instant }
  | ({ readonly type: 'EffectFinished' } & EffectReport)
  /** The effect could not be carried out, and will be tried again. */
  | { readonly type: 'EffectDelayed'; readonly effectId: number; readonly code: string; readonly message: string; readonly at: Instant };

export type JobCommand = Extract<JobInput, { commandId: string }>;
