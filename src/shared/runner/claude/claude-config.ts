import type { CliConfig } from '../cli/cli-place.ts';

/** What the adapter of Claude Code takes. */
export interface ClaudeRunnerConfig extends CliConfig {
  /** The model, where the task names none (default: the CLI's own). */
  readonly model?: string | undefined;
  /** The most answers of the model in one start of the CLI (default: no limit). */
  readonly maxTurns?: number | undefined;
  /** The most that one start of the CLI may cost (US dollars, default: no limit); looked at after each answer. */
  readonly maxBudgetUsd?: number | undefined;
  /** MCP servers for the CLI, as the JSON that Claude Code takes (default: none). Those of a repository are never used. */
  readonly mcpConfig?: string | undefined;
  /** How often a failed call is tried again by the CLI itself (default 2). */
  readonly maxRetries?: number | undefined;
  /** The longest that the model's service may take to begin an answer (milliseconds, default 300,000). */
  readonly apiTimeoutMs?: number | undefined;
}
