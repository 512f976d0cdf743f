import { z } from 'zod';
import { addUsage, NO_USAGE, Usage } from '../../domain/change.ts';
import type { CliFailure } from '../cli/failure.ts';

const Count = z.number().nonnegative().catch(0);
const ModelUsage = z.record(
  z.string(),
  z.object({ inputTokens: Count, outputTokens: Count, cacheReadInputTokens: Count, cacheCreationInputTokens: Count, costUSD: Count }),
);

/** The `result` event, which Claude Code ends with. What can't be read is no success. */
export const ClaudeResult = z.object({
  subtype: z.string().catch(''),
  is_error: z.boolean().catch(true),
  api_error_status: z.number().nullish().catch(null),
  terminal_reason: z.string().optional().catch(undefined),
  result: z.string().optional().catch(undefined),
  errors: z.array(z.string()).catch([]),
  session_id: z.string().optional().catch(undefined),
  structured_output: z.unknown().optional(),
  modelUsage: ModelUsage.optional().catch(undefined),
  model_usage_since_last_result: ModelUsage.optional().catch(undefined),
});
export type ClaudeResult = z.infer<typeof ClaudeResult>;

/**
 * What the run cost, and not the conversation: in 2.1.329 `modelUsage` and `total_cost_usd` sum up all runs of a resumed conversation, and
 * `model_usage_since_last_result` says what is new; 2.1.197 has no such field, and its `modelUsage` is the run's own. `usage` leaves out what was
 * spent on answers that broke off, and all of it where a budget was reached.
 */
export function usageOfResult(result: ClaudeResult): Usage {
  const models = Object.values(result.model_usage_since_last_result ?? result.modelUsage ?? {});
  return models.map((model) => usageOfModel(model)).reduce(addUsage, NO_USAGE);
}

function usageOfModel(model: z.infer<typeof ModelUsage>[string]): Usage {
  const { inputTokens, outputTokens, cacheReadInputTokens: read, cacheCreationInputTokens: written, costUSD: costUsd } = model;
  const usage = {
    inputTokens: Math.round(inputTokens + read + written),
    outputTokens: Math.round(outputTokens),
    costUsd,
    ...(read > 0 ? { cacheReadTokens: Math.round(read) } : {}),
    ...(written > 0 ? { cacheWriteTokens: Math.round(written) } : {}),
  };
  return Usage.safeParse(usage).data ?? NO_USAGE;
}

/** For the log; undefined where the run cost nothing. */
export function usageText(result: ClaudeResult): string | undefined {
  const { inputTokens, outputTokens, costUsd } = usageOfResult(result);
  if (inputTokens + outputTokens === 0 && costUsd === 0) return undefined;
  return `${String(inputTokens)} tokens in, ${String(outputTokens)} out, $${costUsd.toFixed(4)}`;
}

/** How the run failed, as its result says; undefined for one that did what it was to do. `subtype` says "success" of failed calls as well. */
export function failureOfResult(result: ClaudeResult): CliFailure | undefined {
  if (!result.is_error && result.subtype === 'success') return undefined;
  const said = result.errors.length > 0 ? result.errors.join('; ') : (result.result ?? '');
  return {
    message: said === '' ? `it ended with "${result.subtype}"` : said,
    status: result.api_error_status ?? undefined,
    ...(result.terminal_reason === 'prompt_too_long' ? { kind: 'context_too_long' as const } : {}),
    ...(isCapped(result) ? { kind: 'failed' as const } : {}),
  };
}

/** It was ended by `--max-turns` or `--max-budget-usd`: the conversation is sound, and can go on. */
export function isCapped({ subtype }: ClaudeResult): boolean {
  return subtype === 'error_max_turns' || subtype === 'error_max_budget_usd';
}

/** It was to go on with a conversation that is not there (2.1.197: not in this working directory). Nothing was spent. */
export function isUnknownSession({ subtype, errors }: ClaudeResult): boolean {
  return subtype === 'error_during_execution' && errors.some((error) => error.includes('No conversation found'));
}
