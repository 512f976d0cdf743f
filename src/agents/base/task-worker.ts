import type { BundleRef } from '../../shared/domain/bundle.ts';
import type { CheckResult, CommitSummary, Failure, FileChange, Usage } from '../../shared/domain/change.ts';
import type { JobEvent } from '../../shared/domain/event.ts';
import type { CommitId, TaskRole } from '../../shared/domain/ids.ts';
import type { Review } from '../../shared/domain/review.ts';
import type { Claim } from '../../shared/messages/agent.ts';
import type { LogEntry } from '../../shared/messages/log-batch.ts';
import type { TaskMessage } from '../../shared/messages/task.ts';

/** Why a run is to end before it is done. */
export type EndReason = 'revoked' | 'stopping';

/** One attempt at a task, as the worker sees it. */
export interface TaskRun<M extends TaskMessage = TaskMessage> {
  readonly message: M;
  readonly claim: Claim;
  /** `<agentId>:<attempt>`: every process of the run carries it. */
  readonly mark: string;
  /** Aborted with an `EndReason`. */
  readonly signal: AbortSignal;
  readonly log: (entry: Omit<LogEntry, 'at'>) => void;
  /** Counts what a run of the runner cost towards the attempt, and the job. */
  readonly spend: (usage: Usage) => void;
  /** Publishes a fact about the job; not awaited, and a failure to do so is no failure of the task. */
  readonly emit: (event: JobEvent) => void;
}

export interface Work {
  readonly bundle: BundleRef;
  readonly startCommit: CommitId;
  readonly headCommit: CommitId;
}

export interface Implementation extends Work {
  readonly summary: string;
  readonly commits: CommitSummary[];
  readonly filesChanged: FileChange[];
  readonly checks: CheckResult[];
}

/** How an attempt ended. What is thrown instead is judged by the outcome rule (retry, or dead letter). */
export type TaskEnd =
  | { readonly type: 'implemented'; readonly implementation: Implementation }
  | { readonly type: 'reviewed'; readonly review: Review }
  /** A result, though not the one wanted: the job is told, and decides. */
  | { readonly type: 'failed'; readonly error: Failure; readonly checks?: CheckResult[]; readonly work?: Work }
  /** Ended by the signal. `wip` is what there was of the work, for the next attempt. */
  | { readonly type: 'interrupted'; readonly wip?: BundleRef };

/** What a role does with a task. All processes and files of the run are gone when `work` settles. */
export interface TaskWorker<M extends TaskMessage = TaskMessage> {
  readonly role: TaskRole;
  /** The runner, as shown to people. */
  readonly runner: string;
  work(run: TaskRun<M>): Promise<TaskEnd>;
}
