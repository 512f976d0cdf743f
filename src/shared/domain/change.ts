import { z } from 'zod';
import { CommitId, Instant } from './ids.ts';

export const FileChange = z.strictObject({
  path: z.string().min(1),
  status: z.enum(['added', 'modified', 'deleted', 'renamed']),
  /** Lines; 0 for a binary file. */
  additions: z.number().int().nonnegative(),
  deletions: z.number().int().nonnegative(),
});
export type FileChange = z.infer<typeof FileChange>;

export const CommitSummary = z.strictObject({ id: CommitId, message: z.string() });
export type CommitSummary = z.infer<typeof CommitSummary>;

/** How one run of a repository's check ended. */
export const CheckResult = z.strictObject({
  command: z.string(),
  passed: z.boolean(),
  /** null when it was ended by a signal or a limit. */
  exitCode: z.number().int().nullable(),
  durationMs: z.number().nonnegative(),
  /** The end of what it printed. */
  output: z.string(),
});
export type CheckResult = z.infer<typeof CheckResult>;

/** More than any job will ever use, and few enough that sums of them stay exact, and JSON. */
const MAX_TOKENS = 1e12;
const MAX_COST_USD = 1e6;

export const Usage = z.strictObject({
  inputTokens: z.number().int().nonnegative().max(MAX_TOKENS),
  outputTokens: z.number().int().nonnegative().max(MAX_TOKENS),
  costUsd: z.number().nonnegative().max(MAX_COST_USD),
});
export type Usage = z.infer<typeof Usage>;

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** The sum, or the limit where that is beyond it: a record must stay readable whatever a runner says. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: Math.min(a.inputTokens + b.inputTokens, MAX_TOKENS),
    outputTokens: Math.min(a.outputTokens + b.outputTokens, MAX_TOKENS),
    costUsd: Math.min(a.costUsd + b.costUsd, MAX_COST_USD),
  };
}

/** Why something failed, as data that survives a hop. `retryable` says whether `retry` has a chance. */
export const Failure = z.strictObject({
  code: z.string().regex(/^[a-z][a-z0-9_]*$/),
  message: z.string(),
  retryable: z.boolean(),
});
export type Failure = z.infer<typeof Failure>;

export const ChangeRequest = z.strictObject({
  number: z.number().int().positive(),
  url: z.string().optional(),
  /** Our branch, `multi-agent/<jobId>`. */
  head: z.string(),
  headCommit: CommitId,
  base: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  merged: z.boolean(),
  mergeCommit: CommitId.optional(),
  mergedAt: Instant.optional(),
});
export type ChangeRequest = z.infer<typeof ChangeRequest>;
