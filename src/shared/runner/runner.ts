import { type CheckResult, NO_USAGE, Usage } from '../domain/change.ts';
import type { Feature } from '../domain/feature.ts';
import type { TaskRole } from '../domain/ids.ts';
import type { Review } from '../domain/review.ts';
import { MultiAgentError } from '../errors/errors.ts';

/** A file both sides changed. Each side is the file's text, null where that side has no such file. */
export interface ConflictedFile {
  readonly path: string;
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
}

/** What a runner is told about its task: the contents of the file at `MULTI_AGENT_CONTEXT`. */
export interface RunnerContext {
  readonly feature: Feature;
  readonly baseCommit: string;
  readonly headCommit?: string;
  /** Reviewer: the change under review as a unified diff. */
  readonly diff?: string;
  /** The checks of the last try (coder) or of the change under review (reviewer). */
  readonly checks?: readonly CheckResult[];
  readonly conflicts?: readonly ConflictedFile[];
  /** Earlier verdicts on this job, oldest first. */
  readonly reviews: readonly Review[];
}

/**
 * One thing a runner said, or did as far as it says so. `text` is a line without its newline for `stdout`, `stderr` and
 * `note`; for the others, which come of a coding CLI's events, it may have several: `error` is what went wrong and did not end
 * the run, `usage` what was spent so far, in words.
 */
export interface RunnerOutput {
  readonly type: 'stdout' | 'stderr' | 'note' | 'thinking' | 'message' | 'tool_call' | 'tool_result' | 'usage' | 'error';
  readonly text: string;
}

export interface RunnerTask {
  readonly jobId: string;
  readonly taskId: string;
  readonly role: TaskRole;
  readonly round: number;
  readonly attempt: number;
  /** Which try within the round this is, from 1: another follows failed checks or left-over conflict markers. */
  readonly tryNumber: number;
  /** The directory the runner works in: the tree of the change, nothing else. */
  readonly workspace: string;
  /** Directories outside it that the runner's own git has to read. */
  readonly readable: readonly string[];
  /** A directory outside the workspace for the runner's own files (context, home, tmp); removed after the task. */
  readonly scratch: string;
  /**
   * Absolute path of a directory that stays between the rounds of one job for one role, on this agent's host: for what lets a runner go on
   * with the conversation of the round before. It exists, and may be empty in any round: another host may have had the one before.
   */
  readonly sessions: string;
  /** The model asked for, by the name the runner's provider gives it (default: the runner's own). */
  readonly model?: string;
  readonly prompt: string;
  readonly context: RunnerContext;
  /** Names of further environment variables that the repository's settings let through. */
  readonly environment: readonly string[];
  /** `<agentId>:<attempt>`, carried by every process of this run as `MULTI_AGENT_RUN`. */
  readonly mark: string;
  /** The longest the run may take, and the longest it may say nothing (milliseconds). */
  readonly wallMs: number;
  readonly stallMs: number;
  /** Called for each line, never awaited; must not throw. */
  readonly onOutput: (output: RunnerOutput) => void;
  /** Aborted when the task is no longer wanted: the whole process tree is ended before `run` settles. */
  readonly signal: AbortSignal;
}

export interface RunnerResult {
  /** What the runner says it did (coder), in prose; empty when it said nothing. */
  readonly summary: string;
  readonly usage: Usage;
  /** Reviewer only: the verdict as the runner gave it, not yet validated. */
  readonly verdict?: unknown;
}

/** What a run cost that ended with this error, as far as the runner said so. */
export function usageOfFailure(error: unknown): Usage {
  return (error instanceof MultiAgentError ? Usage.safeParse(error.details['usage']).data : undefined) ?? NO_USAGE;
}

/**
 * The thing that does the thinking for an agent.
 *
 * `run` settles only when no process of the run is left. It resolves on success, and otherwise throws:
 * - `TerminalError` `runner_failed` (exit status, start failure), `runner_timeout` (wall limit), `invalid_verdict`
 *   (a reviewer whose last words are no JSON), `runner_not_logged_in` (its key is missing or refused), `context_too_long`,
 * - `RetryableError` `runner_unavailable` (EX_TEMPFAIL, 75), `runner_stalled` (said nothing for `stallMs`), and
 *   `runner_limited` (a usage limit, or an overloaded provider; `retryAfterMs` where it says when),
 * - `InterruptedError` `runner_interrupted` when `signal` was aborted.
 * What a run cost that fails stands in the error's details as `usage`.
 * A run is not idempotent: it may cost money. Callers make sure that it is wanted before they start it.
 */
export interface Runner {
  /** As shown to people: `command: node fix.mjs`, `replay (recorded, no model): demo.jsonl`. */
  readonly description: string;
  readonly kind: string;
  /** Whether it starts programs, so that it is not to be used without a sandbox unless the operator says so. */
  readonly startsPrograms: boolean;
  /** Whether this runner reads or writes files, and so needs a checked-out workspace for the role. */
  needsWorkspace(role: TaskRole): boolean;
  run(task: RunnerTask): Promise<RunnerResult>;
}
