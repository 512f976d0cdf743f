import { z } from 'zod';
import { ChangeRequest, CheckResult, CommitSummary, Failure, FileChange, Usage } from './change.ts';
import { Effect } from './effect.ts';
import { Feature, Repository, RepositorySettings, Workflow } from './feature.ts';
import { AgentId, CommitId, Instant, JobId, TaskId, TaskRole } from './ids.ts';
import { Priority } from './priority.ts';
import { Review } from './review.ts';

export const JobStatus = z.enum(['PENDING', 'IN_PROGRESS', 'WAITING_APPROVAL', 'COMPLETED', 'FAILED', 'CANCELLED']);
export type JobStatus = z.infer<typeof JobStatus>;

export const Phase = z.enum(['queued', 'implementing', 'reviewing', 'approving', 'merging', 'done']);
export type Phase = z.infer<typeof Phase>;

/** The one task a job waits for. */
export const Task = z.strictObject({
  id: TaskId,
  role: TaskRole,
  round: z.number().int().positive(),
  /** How often the repo-manager sent this task out, from 1. */
  dispatch: z.number().int().positive(),
  /** The newest attempt that was reported to have started; 0 before the first. */
  attempt: z.number().int().nonnegative(),
  /** Who works on the newest attempt. */
  agentId: AgentId.optional(),
  startedAt: Instant.optional(),
  sentAt: Instant,
  /** Where its message lies in TASKS, once that is known. */
  streamSeq: z.number().int().positive().optional(),
  /** When a sweep first found the message gone and no result there. */
  missingSince: Instant.optional(),
});
export type Task = z.infer<typeof Task>;

/** What an attempt has cost so far, as far as it was told. */
export const AttemptUsage = z.strictObject({
  taskId: TaskId,
  dispatch: z.number().int().positive(),
  attempt: z.number().int().positive(),
  usage: Usage,
});
export type AttemptUsage = z.infer<typeof AttemptUsage>;

/** What a person has to do before the job goes on. */
export const Needs = z.strictObject({
  kind: z.enum(['approval', 'dirty_tree', 'repository_locked']),
  message: z.string(),
  /** What to type. */
  command: z.string(),
});
export type Needs = z.infer<typeof Needs>;

/** Something that should pass, and has not yet: a repository that is locked, a forge that is down. */
export const Delay = z.strictObject({ code: z.string(), message: z.string(), since: Instant });
export type Delay = z.infer<typeof Delay>;

/** What became of a person's command, so that who gave it can be told. */
export const CommandOutcome = z.strictObject({
  id: z.string().max(100),
  accepted: z.boolean(),
  message: z.string().optional(),
});
export type CommandOutcome = z.infer<typeof CommandOutcome>;

/** An effect that was decided together with the record it stands in, and is not known to have been carried out. */
export const PendingEffect = z.strictObject({ id: z.number().int().positive(), effect: Effect });
export type PendingEffect = z.infer<typeof PendingEffect>;

/** The truth about a job, as it lies in the `jobs` bucket. Only `decide` makes the next one. */
export const Job = z.strictObject({
  v: z.literal(1),
  id: JobId,
  status: JobStatus,
  phase: Phase,
  priority: Priority,
  repository: Repository,
  /** The branch asked for; absent means the repository's HEAD. */
  requestedBase: z.string().optional(),
  feature: Feature,
  workflow: Workflow,
  key: z.string().optional(),
  /** The repo-manager's host, when the repository is a path: a repo-manager elsewhere leaves the job alone. */
  host: z.string().optional(),
  createdAt: Instant,
  updatedAt: Instant,
  finishedAt: Instant.optional(),

  /** The current round, from 1; 0 before the first. Conflict rounds are counted here too. */
  round: z.number().int().nonnegative(),
  /** How many of the rounds were caused by a conflict with the base, or by checks that fail only together with it. */
  conflictRounds: z.number().int().nonnegative(),
  /** Rounds without the conflict rounds that are allowed until the job gives up; a retry or a rejection adds to it. */
  roundsAllowed: z.number().int().positive(),
  /** Conflict rounds that are allowed until the job gives up; a retry adds to it. */
  conflictRoundsAllowed: z.number().int().positive(),
  /** Dispatches of one task that are allowed until the job gives up; a retry adds to it. */
  dispatchesAllowed: z.number().int().positive(),
  /** Cost at which no further task is sent out; a retry adds to it. */
  costAllowedUsd: z.number().positive().optional(),

  base: z.string().optional(),
  /** The base commit the job's branch started from, or was last merged with. */
  baseCommit: CommitId.optional(),
  /** The head of the job's branch: accepted work. */
  headCommit: CommitId.optional(),
  settings: RepositorySettings.optional(),
  task: Task.optional(),
  /** The last task that was sent out, whatever became of it: its dispatch count goes on when it is sent again. */
  lastTask: z.strictObject({ id: TaskId, dispatch: z.number().int().positive(), attempt: z.number().int().nonnegative() }).optional(),
  /** The base commit to merge into the workspace of the current (conflict) round. */
  mergeWith: CommitId.optional(),
  /** The newest head that was to be merged, and since when: the date of its merge commit. */
  mergeAsked: z.strictObject({ headCommit: CommitId, at: Instant }).optional(),
  changeRequest: ChangeRequest.optional(),
  reviews: z.array(Review),
  checks: z.array(CheckResult).optional(),
  summary: z.string().optional(),
  commits: z.array(CommitSummary),
  filesChanged: z.array(FileChange),
  usage: Usage,
  /** What of `usage` which attempt cost: one is reported more than once, late, and after it was replaced, and counts once. */
  attempts: z.array(AttemptUsage).optional(),
  needs: Needs.optional(),
  /** What keeps an effect from being carried out just now; it is tried again and again. */
  delay: Delay.optional(),
  error: Failure.optional(),
  /** A failure that takes effect as soon as the work that came with it is on the branch. */
  failing: Failure.optional(),
  /** A stop came while the merge was under way: its outcome decides. */
  stopRequested: z.boolean().optional(),
  /** The phase the job was in when it failed or was stopped: where a retry goes on. */
  stoppedPhase: Phase.optional(),
  /** Where the newest retry lies in INPUTS: what was given before it is about the job as it was before. */
  retrySeq: z.number().int().positive().optional(),
  /** The newest commands, oldest first. */
  commands: z.array(CommandOutcome).max(8),
  pending: z.array(PendingEffect),
  /** The id of the newest effect. */
  effectCount: z.number().int().nonnegative(),
});
export type Job = z.infer<typeof Job>;

export type TerminalStatus = 'COMPLETED' | 'FAILED' | 'CANCELLED';

export function isTerminal(status: JobStatus): status is TerminalStatus {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}

/** Rounds that count towards the limit. */
export function reviewRounds(job: Job): number {
  return job.round - job.conflictRounds;
}
