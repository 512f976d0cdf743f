import { z } from 'zod';
import { ChangeRequest, Failure, Usage } from './change.ts';
import { AgentId, CommitId, TaskId, TaskRole } from './ids.ts';
import { Decision } from './review.ts';

const roundOf = { round: z.number().int().positive() };
const taskOf = { taskId: TaskId, role: TaskRole, ...roundOf };

/** Facts about a job, in the past tense. What a subscriber sees is `{ v, jobId, at, ...event }`. */
export const JobEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('JobAccepted'), title: z.string(), repository: z.string(), base: z.string() }),
  z.strictObject({ type: z.literal('TaskSent'), ...taskOf, dispatch: z.number().int().positive() }),
  z.strictObject({ type: z.literal('TaskStarted'), ...taskOf, attempt: z.number().int().positive(), agentId: AgentId, runner: z.string() }),
  z.strictObject({ type: z.literal('TaskRetried'), ...taskOf, error: Failure }),
  z.strictObject({
    type: z.literal('TryFailed'),
    ...taskOf,
    tryNumber: z.number().int().positive(),
    reason: z.enum(['checks_failed', 'conflict_markers', 'tree_refused']),
    message: z.string(),
  }),
  z.strictObject({
    type: z.literal('ImplementationFinished'),
    ...roundOf,
    headCommit: CommitId,
    summary: z.string(),
    filesChanged: z.number().int().nonnegative(),
  }),
  z.strictObject({ type: z.literal('ChangeRequestOpened'), changeRequest: ChangeRequest }),
  z.strictObject({
    type: z.literal('ReviewFinished'),
    ...roundOf,
    headCommit: CommitId,
    decision: Decision,
    summary: z.string(),
    comments: z.number().int().nonnegative(),
  }),
  z.strictObject({ type: z.literal('ConflictFound'), ...roundOf, baseCommit: CommitId, paths: z.array(z.string()) }),
  z.strictObject({ type: z.literal('ApprovalNeeded'), kind: z.string(), message: z.string(), command: z.string() }),
  z.strictObject({ type: z.literal('JobRetried'), ...roundOf }),
  /** How the job ended: the FeatureResult. */
  z.strictObject({
    type: z.literal('FeatureResult'),
    status: z.enum(['COMPLETED', 'FAILED', 'CANCELLED']),
    round: z.number().int().nonnegative(),
    usage: Usage,
    changeRequest: ChangeRequest.optional(),
    error: Failure.optional(),
  }),
]);
export type JobEvent = z.infer<typeof JobEvent>;
