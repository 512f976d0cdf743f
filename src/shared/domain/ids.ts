import { createHash } from 'node:crypto';
import { z } from 'zod';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `job-<ULID>`, or the same form derived from the repository and an idempotency key. */
export const JobId = z.string().regex(/^job-[0-9A-HJKMNP-TV-Z]{26}$/, 'a job id is "job-" and 26 characters of Crockford base32');
export type JobId = z.infer<typeof JobId>;

/** `<jobId>.<implement|review>.<round>` */
export const TaskId = z.string().regex(/^job-[0-9A-HJKMNP-TV-Z]{26}\.(implement|review)\.[1-9]\d{0,3}$/, 'not a task id');
export type TaskId = z.infer<typeof TaskId>;

/** `<role>-<n>`, for instance `coder-1`. */
export const AgentId = z.string().regex(/^(repo-manager|coder|reviewer)-[1-9]\d{0,4}$/, 'an agent id is "<role>-<n>"');
export type AgentId = z.infer<typeof AgentId>;

/** A full git object id (SHA-1, or SHA-256 in repositories made so). */
export const CommitId = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'not a full commit id');
export type CommitId = z.infer<typeof CommitId>;

/** A moment as milliseconds since the epoch; the largest is the last one that a Date can be (ECMA-262, "Time Values and Time Range"). */
export const Instant = z.number().int().nonnegative().max(8.64e15);
export type Instant = z.infer<typeof Instant>;

export const AgentRole = z.enum(['repo-manager', 'coder', 'reviewer']);
export type AgentRole = z.infer<typeof AgentRole>;

/** The roles that take tasks. */
export const TaskRole = z.enum(['coder', 'reviewer']);
export type TaskRole = z.infer<typeof TaskRole>;

const ACTION_OF_ROLE = { coder: 'implement', reviewer: 'review' } as const satisfies Record<TaskRole, string>;

export function taskIdOf(jobId: JobId, role: TaskRole, round: number): TaskId {
  return `${jobId}.${ACTION_OF_ROLE[role]}.${String(round)}`;
}

/** All task ids of a role, as a pattern of NATS: `*.implement.*`. */
export function taskIdsOf(role: TaskRole): string {
  return `*.${ACTION_OF_ROLE[role]}.*`;
}

export function partsOfTaskId(taskId: TaskId): { jobId: JobId; role: TaskRole; round: number } {
  const [jobId = '', action, round] = taskId.split('.');
  return { jobId, role: action === 'review' ? 'reviewer' : 'coder', round: Number(round) };
}

/** The branch of a job in the user's repository: the same for the whole life of the job. */
export function branchOf(jobId: JobId): string {
  return `multi-agent/${jobId}`;
}

/** The same repository and `--key` give the same job, however often and from wherever it is submitted. */
export function jobIdOfKey(repositoryUrl: string, key: string): JobId {
  const digest = createHash('sha256').update(repositoryUrl).update('\0').update(key).digest();
  // 26 characters of 5 bits: the first 130 bits of the digest.
  let bits = 0n;
  for (const byte of digest.subarray(0, 17)) bits = (bits << 8n) | BigInt(byte);
  bits >>= 6n;
  let id = '';
  for (let i = 0; i < 26; i++) {
    id = (CROCKFORD[Number(bits & 31n)] ?? '') + id;
    bits >>= 5n;
  }
  return `job-${id}`;
}
