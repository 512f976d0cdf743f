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

const Tokens = z.number().int().nonnegative().max(MAX_TOKENS);

/** What a run, an attempt or a job cost. */
export const Usage = z.strictObject({
  /** All that the model read, what came out of its provider's cache included. */
  inputTokens: Tokens,
  outputTokens: Tokens,
  costUsd: z.number().nonnegative().max(MAX_COST_USD),
  /** How many of `inputTokens` came out of the cache, and how many went into it; absent where nobody says. */
  cacheReadTokens: Tokens.optional(),
  cacheWriteTokens: Tokens.optional(),
});
export type Usage = z.infer<typeof Usage>;

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** The sum, or the limit where that is beyond it: a record must stay readable whatever a runner says. */
export function addUsage(a: Usage, b: Usage): Usage {
  return combineUsage(a, b, (one, other) => one + other);
}

/** How much more `now` is than `before`, in each number; never less than nothing. */
export function usageBeyond(now: Usage, before: Usage): Usage {
  return combineUsage(now, before, (one, other) => one - other);
}

function combineUsage(a: Usage, b: Usage, combine: (one: number, other: number) => number): Usage {
  const within = (value: number, most: number): number => Math.min(Math.max(0, value), most);
  const cached = CACHE_NAMES.filter((name) => a[name] !== undefined || b[name] !== undefined);
  return {
    inputTokens: within(combine(a.inputTokens, b.inputTokens), MAX_TOKENS),
    outputTokens: within(combine(a.outputTokens, b.outputTokens), MAX_TOKENS),
    costUsd: within(combine(a.costUsd, b.costUsd), MAX_COST_USD),
    ...Object.fromEntries(cached.map((name) => [name, within(combine(a[name] ?? 0, b[name] ?? 0), MAX_TOKENS)])),
  };
}

const CACHE_NAMES = ['cacheReadTokens', 'cacheWriteTokens'] as const;

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
