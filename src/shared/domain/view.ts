import type { ChangeRequest, CheckResult, CommitSummary, Failure, FileChange, Usage } from './change.ts';
import type { Feature, MergePolicy } from './feature.ts';
import type { AgentId, CommitId, Instant, JobId, TaskId } from './ids.ts';
import { isTerminal, type Job, type JobStatus, type Needs, type Phase } from './job.ts';
import type { JobRequest } from './input.ts';
import type { Priority } from './priority.ts';
import type { Review } from './review.ts';
import { acceptRequest } from './starting.ts';

/** A job as it is shown to people and programs. These names are a contract; more may come. */
export interface JobView {
  readonly id: JobId;
  readonly status: JobStatus;
  readonly phase: Phase;
  readonly priority: Priority;
  readonly title: string;
  readonly repository: string;
  /** The base branch; null while it is not known which one that is. */
  readonly branch: string | null;
  readonly round: number;
  readonly attempt: number;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly finishedAt?: string;
  readonly changeRequest?: Omit<ChangeRequest, 'mergedAt'>;
  readonly review?: Omit<Review, 'round'>;
  readonly checks?: readonly CheckResult[];
  /** Nobody wrote them down: they are what the files of the repository suggest. */
  readonly checksDetected?: boolean;
  readonly usage: Usage;
  readonly needs?: Needs;
  /** What holds the job up just now; it is tried again by itself. */
  readonly delay?: { readonly code: string; readonly message: string; readonly since: string };
  readonly error?: Failure;
  readonly merge: MergePolicy;
  readonly maxRounds: number;
  readonly conflictRounds: number;
  readonly baseCommit?: CommitId;
  readonly headCommit?: CommitId;
  readonly task?: { readonly id: TaskId; readonly dispatch: number; readonly agentId?: AgentId; readonly startedAt?: string };
}

/** A job with everything known about it. */
export interface JobDetails extends JobView {
  readonly feature: Feature;
  readonly summary?: string;
  readonly commits: readonly CommitSummary[];
  readonly filesChanged: readonly FileChange[];
  readonly reviews: readonly Review[];
}

export function viewOf(job: Job): JobView {
  const review = job.reviews.at(-1);
  const { task, changeRequest } = job;
  return {
    id: job.id,
    status: job.status,
    phase: job.phase,
    priority: job.priority,
    title: job.feature.title,
    repository: job.repository.url,
    branch: job.base ?? job.requestedBase ?? null,
    round: job.round,
    attempt: task?.attempt ?? job.lastTask?.attempt ?? 0,
    createdAt: iso(job.createdAt),
    updatedAt: iso(job.updatedAt),
    ...(job.finishedAt !== undefined && isTerminal(job.status) ? { finishedAt: iso(job.finishedAt) } : {}),
    ...(changeRequest ? { changeRequest: withoutMergedAt(changeRequest) } : {}),
    ...(review ? { review: withoutRound(review) } : {}),
    ...(job.checks ? { checks: job.checks } : {}),
    ...(job.settings?.detected === true ? { checksDetected: true } : {}),
    usage: job.usage,
    ...(job.needs ? { needs: job.needs } : {}),
    ...(job.delay ? { delay: { ...job.delay, since: iso(job.delay.since) } } : {}),
    ...(job.error ? { error: job.error } : {}),
    merge: job.workflow.merge,
    maxRounds: job.workflow.maxRounds,
    conflictRounds: job.conflictRounds,
    ...(job.baseCommit ? { baseCommit: job.baseCommit } : {}),
    ...(job.headCommit ? { headCommit: job.headCommit } : {}),
    ...(task ? { task: taskView(task) } : {}),
  };
}

export function detailsOf(job: Job): JobDetails {
  return {
    ...viewOf(job),
    feature: job.feature,
    ...(job.summary === undefined ? {} : { summary: job.summary }),
    commits: job.commits,
    filesChanged: job.filesChanged,
    reviews: job.reviews,
  };
}

/** A job that is stored, and that no repo-manager has looked at yet. */
export function pendingJob(request: JobRequest): Job {
  return acceptRequest(request, request.submittedAt);
}

function taskView(task: NonNullable<Job['task']>): NonNullable<JobView['task']> {
  return {
    id: task.id,
    dispatch: task.dispatch,
    ...(task.agentId === undefined ? {} : { agentId: task.agentId }),
    ...(task.startedAt === undefined ? {} : { startedAt: iso(task.startedAt) }),
  };
}

function withoutMergedAt({ mergedAt: _, ...rest }: ChangeRequest): Omit<ChangeRequest, 'mergedAt'> {
  return rest;
}

function withoutRound({ round: _, ...rest }: Review): Omit<Review, 'round'> {
  return rest;
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}
