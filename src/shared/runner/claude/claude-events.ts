import { z } from 'zod';
import type { JsonEvent } from '../cli/json-lines.ts';
import type { RunnerOutput } from '../runner.ts';
import { ClaudeResult, usageText } from './claude-result.ts';

/** What a run of Claude Code has said of itself so far. */
export interface ClaudeState {
  readonly sessionId?: string;
  readonly version?: string;
  /** The last `result` event; without one the run has not come to its end. */
  readonly result?: ClaudeResult;
  /** How long the CLI, or the model's service by way of it, last said that a limit lasts (milliseconds). */
  readonly limitedForMs?: number;
}

/** Takes events of Claude Code as they come. */
export interface ClaudeEvents {
  take(event: JsonEvent): 'final' | 'other';
  state(): ClaudeState;
}

const Block = z.object({
  type: z.string(),
  text: z.string().optional().catch(undefined),
  thinking: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  input: z.unknown().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().optional().catch(undefined),
});
type Block = z.infer<typeof Block>;

const Message = z.object({ message: z.object({ content: z.array(z.unknown()) }) });
const Init = z.object({ session_id: z.string(), claude_code_version: z.string().optional().catch(undefined) });
const ApiRetry = z.object({
  attempt: z.number().catch(0),
  max_retries: z.number().catch(0),
  retry_delay_ms: z.number().catch(0),
  error_status: z.number().nullish().catch(null),
  error: z.string().catch('unknown'),
});
const RateLimit = z.object({ rate_limit_info: z.object({ status: z.string(), resetsAt: z.number() }) });
const LIMIT_STATUS = [429, 529];

/** Of what goes into the log, where a message has no more than a megabyte. */
const MAX_TEXT = 16_000;
const MAX_INPUT = 300;
const MAX_RESULT = 2_000;

/** @param now milliseconds since the epoch */
export function createClaudeEvents(onOutput: (output: RunnerOutput) => void, now: () => number): ClaudeEvents {
  let state: ClaudeState = {};
  const learn = (more: ClaudeState): void => {
    state = { ...state, ...more };
  };

  const takeSystem = (event: JsonEvent): void => {
    if (event['subtype'] === 'init') {
      const { session_id: sessionId, claude_code_version: version } = Init.safeParse(event).data ?? {};
      learn({ ...(sessionId === undefined ? {} : { sessionId }), ...(version === undefined ? {} : { version }) });
    }
    const retry = event['subtype'] === 'api_retry' ? ApiRetry.safeParse(event).data : undefined;
    if (retry === undefined) return;
    if (LIMIT_STATUS.includes(retry.error_status ?? 0)) learn({ limitedForMs: retry.retry_delay_ms });
    onOutput({ type: 'error', text: retryText(retry) });
  };

  const takeResult = (event: JsonEvent): 'final' => {
    const result = ClaudeResult.parse(event);
    learn({ result, ...(result.session_id === undefined ? {} : { sessionId: result.session_id }) });
    const text = usageText(result);
    if (text !== undefined) onOutput({ type: 'usage', text });
    return 'final';
  };

  return {
    take: (event) => {
      if (event['type'] === 'result') return takeResult(event);
      if (event['type'] === 'system') takeSystem(event);
      if (event['type'] === 'assistant' || event['type'] === 'user') outputsOf(event).forEach(onOutput);
      const limit = event['type'] === 'rate_limit_event' ? RateLimit.safeParse(event).data?.rate_limit_info : undefined;
      if (limit?.status === 'rejected') learn({ limitedForMs: Math.max(0, limit.resetsAt * 1_000 - now()) });
      return 'other';
    },
    state: () => state,
  };
}

function outputsOf(event: JsonEvent): RunnerOutput[] {
  const blocks = Message.safeParse(event).data?.message.content ?? [];
  return blocks.flatMap((block) => outputOf(event['type'], Block.safeParse(block).data));
}

function outputOf(from: unknown, block: Block | undefined): RunnerOutput[] {
  if (from === 'user') {
    if (block?.type !== 'tool_result') return [];
    const text = shortened(textOf(block.content), MAX_RESULT);
    return [{ type: 'tool_result', text: block.is_error === true ? `failed: ${text}` : text }];
  }
  switch (block?.type) {
    case 'text':
      return said('message', block.text);
    case 'thinking':
      return said('thinking', block.thinking);
    case 'tool_use':
      return [{ type: 'tool_call', text: `${block.name ?? 'a tool'} ${shortened(inputText(block.input), MAX_INPUT)}`.trimEnd() }];
    default:
      return [];
  }
}

function said(type: 'message' | 'thinking', text = ''): RunnerOutput[] {
  return text.trim() === '' ? [] : [{ type, text: shortened(text.trimEnd(), MAX_TEXT) }];
}

/** Of a tool's input what a person wants to see: the file, the command; else all of it. */
const TELLING = ['file_path', 'notebook_path', 'command', 'pattern', 'path', 'url', 'query', 'description'];

function inputText(input: unknown): string {
  if (typeof input !== 'object' || input === null) return '';
  const told = TELLING.map((name) => (input as Readonly<Record<string, unknown>>)[name]).find((value) => typeof value === 'string');
  return typeof told === 'string' ? told : JSON.stringify(input);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part: unknown) => Block.safeParse(part).data?.text ?? []).join('\n');
}

function retryText({ attempt, max_retries, retry_delay_ms, error_status, error }: z.infer<typeof ApiRetry>): string {
  const what = typeof error_status === 'number' ? `answered ${String(error_status)} (${error})` : `did not answer (${error})`;
  const wait = (retry_delay_ms / 1_000).toFixed(1);
  return `the model's service ${what}; retry ${String(attempt)} of ${String(max_retries)} in ${wait} s`;
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}
