import { z } from 'zod';

/**
 * The JSON shapes that scripts rely on, written down a second time and by hand: taken from the sources they would change with them. More
 * fields are welcome, these keep their names.
 */
const Time = z.iso.datetime();
const Commit = z.string().regex(/^[0-9a-f]{40}$/);

const Usage = z.object({ inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number() });
const Comment = z.looseObject({ path: z.string(), line: z.number(), severity: z.enum(['info', 'warning', 'error']), body: z.string() });
const Review = z.looseObject({ decision: z.string(), headCommit: Commit, summary: z.string(), comments: z.array(Comment) });
const Check = z.looseObject({ command: z.string(), passed: z.boolean(), output: z.string() });
const Failure = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() });
const ChangeRequest = z.looseObject({
  number: z.number(),
  head: z.string(),
  base: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  merged: z.boolean(),
  mergeCommit: Commit.optional(),
});

export const JobShape = z.looseObject({
  id: z.string().regex(/^job-[0-9A-Z]{26}$/),
  status: z.enum(['PENDING', 'IN_PROGRESS', 'WAITING_APPROVAL', 'COMPLETED', 'FAILED', 'CANCELLED']),
  phase: z.enum(['queued', 'implementing', 'reviewing', 'approving', 'merging', 'done']),
  priority: z.enum(['low', 'normal', 'high', 'urgent']),
  title: z.string(),
  repository: z.string(),
  branch: z.string().nullable(),
  round: z.number(),
  attempt: z.number(),
  createdAt: Time,
  updatedAt: Time,
  finishedAt: Time.optional(),
  changeRequest: ChangeRequest.optional(),
  review: Review.optional(),
  checks: z.array(Check).optional(),
  usage: Usage,
  needs: z.object({ kind: z.string(), message: z.string(), command: z.string() }).optional(),
  error: Failure.optional(),
  conflictRounds: z.number(),
  headCommit: Commit.optional(),
});
export type JobJson = z.infer<typeof JobShape>;

export const ShownJobShape = z.looseObject({
  ...JobShape.shape,
  feature: z.looseObject({ title: z.string(), description: z.string() }),
  filesChanged: z.array(z.object({ path: z.string(), status: z.string(), additions: z.number(), deletions: z.number() })),
  reviews: z.array(Review),
  diff: z.string().optional(),
});

export const JobListShape = z.object({ jobs: z.array(JobShape), next: z.string().optional() });

export const LogLineShape = z.looseObject({
  seq: z.number(),
  at: Time,
  jobId: z.string(),
  taskId: z.string(),
  attempt: z.number(),
  type: z.string(),
  text: z.string(),
});

export const StatusShape = z.looseObject({
  healthy: z.boolean(),
  nats: z.looseObject({
    url: z.string(),
    connected: z.boolean(),
    version: z.string().nullable(),
    embedded: z.boolean(),
    pid: z.number().optional(),
  }),
  agents: z.array(
    z.looseObject({
      id: z.string(),
      role: z.enum(['repo-manager', 'coder', 'reviewer']),
      pid: z.number().nullable(),
      state: z.string(),
      healthy: z.boolean(),
      currentTask: z.string().optional(),
      tasksProcessed: z.number(),
      tasksFailed: z.number(),
      rssBytes: z.number(),
      startedAt: Time.nullable(),
    }),
  ),
});

export const ErrorShape = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z_]+$/),
    message: z.string().min(1),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});

export const UpShape = z.looseObject({
  nats: z.looseObject({ url: z.string(), embedded: z.boolean() }),
  agents: z.array(z.string()),
  started: z.array(z.string()),
});
