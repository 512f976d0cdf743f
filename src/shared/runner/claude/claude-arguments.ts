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
 * What a coder works with; MCP servers' tools come on top. Not all there is: agents, workflows and schedules outlive what is asked of them, the web
 * is not there, and a request has half the size without them.
 */
const CODER_TOOLS = 'Bash,Edit,Glob,Grep,NotebookEdit,Read,TodoWrite,Write';
const REVIEWER_TOOLS = 'Read,Grep,Glob';

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
    ...(role === 'coder' ? ['--tools', CODER_TOOLS] : ['--tools', REVIEWER_TOOLS, '--json-schema', JSON.stringify(VERDICT_SCHEMA)]),
    ...permissions,
  ];
}

/**
 * In a sandbox every tool there is is allowed, for the sandbox is the guard. Without one too, for the operator said so; but for root Claude Code refuses
 * that, and there it is what can be allowed by name (no writing outside of the workspace, and not every compound command).
 */
export function permissionsFor(isolates: boolean, isRoot: boolean): readonly string[] {
  if (isolates || !isRoot) return ['--permission-mode', 'bypassPermissions'];
  return ['--permission-mode', 'dontAsk', '--allowedTools', CODER_TOOLS];
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}
