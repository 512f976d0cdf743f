import type { TaskRole } from '../../domain/ids.ts';
import type { Argv } from '../../process/command-line.ts';
import { VERDICT_SCHEMA } from '../cli/verdict-text.ts';

export interface ClaudeArguments {
  readonly program: string;
  readonly role: TaskRole;
  /** Default: the CLI's own, which changes with its versions. */
  readonly model?: string | undefined;
  readonly maxTurns?: number | undefined;
  /** For one start of the CLI (US dollars). */
  readonly maxBudgetUsd?: number | undefined;
  /** Path of a file with MCP servers. */
  readonly mcpConfig?: string | undefined;
  /** The conversation that goes on. */
  readonly resume?: string | undefined;
  readonly permissions: readonly string[];
}

/**
 * The command line of one start. The prompt comes on stdin, keys come by the environment, and nothing of the repository configures the CLI:
 * `--setting-sources ''` leaves out settings, hooks, CLAUDE.md, skills and agents, `--strict-mcp-config` its MCP servers.
 */
export function claudeArguments({ program, role, model, maxTurns, maxBudgetUsd, mcpConfig, resume, permissions }: ClaudeArguments): Argv {
  return [
    program,
    ...['--print', '--output-format', 'stream-json', '--verbose', '--setting-sources', '', '--strict-mcp-config'],
    ...option('--model', model),
    ...option('--max-turns', maxTurns),
    ...option('--max-budget-usd', maxBudgetUsd),
    ...option('--mcp-config', mcpConfig),
    ...option('--resume', resume),
    ...(role === 'reviewer' ? ['--tools', 'Read,Grep,Glob', '--json-schema', JSON.stringify(VERDICT_SCHEMA)] : []),
    ...permissions,
  ];
}

/**
 * In a sandbox every tool is allowed, for the sandbox is the guard. Without one too, for the operator said so; but for root Claude Code refuses
 * that, and there it is what can be allowed by name (no writing outside of the workspace, and not every compound command).
 */
export function permissionsFor(isolates: boolean, isRoot: boolean): readonly string[] {
  if (isolates || !isRoot) return ['--permission-mode', 'bypassPermissions'];
  return ['--permission-mode', 'dontAsk', '--allowedTools', 'Bash,Edit,Glob,Grep,NotebookEdit,Read,TodoWrite,Write'];
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}
