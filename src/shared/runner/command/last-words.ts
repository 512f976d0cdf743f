import { z } from 'zod';
import { NO_USAGE, Usage } from '../../domain/change.ts';
import { TerminalError } from '../../errors/errors.ts';
import type { RunnerResult } from '../runner.ts';

const SUMMARY_LINES = 20;
const SUMMARY_LENGTH = 4_000;
const SHOWN_LENGTH = 200;

const LastWords = z.object({ summary: z.string().optional().catch(undefined), usage: UsageOrNone() });

/**
 * What a coder said it did: the last 20 lines of its stdout that are not empty, at most 4,000 characters. Where the
 * last one is a JSON object with a `summary` or a `usage`, these are taken from it and the line is no part of the prose.
 */
export function coderResult(stdout: string): RunnerResult {
  const lines = lastLines(stdout, SUMMARY_LINES + 1);
  const words = LastWords.safeParse(jsonOf(lines.at(-1) ?? ''));
  const isReport = words.success && (words.data.summary !== undefined || words.data.usage !== undefined);
  const prose = (isReport ? lines.slice(0, -1) : lines).slice(-SUMMARY_LINES).join('\n').slice(-SUMMARY_LENGTH);
  return {
    summary: (isReport ? words.data.summary : undefined)?.slice(0, SUMMARY_LENGTH) ?? prose,
    usage: (isReport ? words.data.usage : undefined) ?? NO_USAGE,
  };
}

/**
 * The verdict: the JSON of the last stdout line that is not empty, not yet validated.
 *
 * Throws `TerminalError` `invalid_verdict` where there is none, or it is no JSON.
 */
export function reviewerResult(stdout: string): RunnerResult {
  const [line] = lastLines(stdout, 1);
  if (line === undefined)
    throw new TerminalError('invalid_verdict', 'the reviewer said nothing; its last line must be the verdict as JSON');
  const verdict = jsonOf(line);
  if (verdict === undefined) {
    const shown = line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}...` : line;
    throw new TerminalError('invalid_verdict', `the reviewer's last line is not the verdict as JSON: ${shown}`);
  }
  const words = LastWords.safeParse(verdict);
  return { summary: words.data?.summary ?? '', usage: words.data?.usage ?? NO_USAGE, verdict };
}

/** What the last line that is not empty says about the cost; undefined where it says nothing. For runs that end without a result. */
export function usageIn(stdout: string): Usage | undefined {
  return LastWords.safeParse(jsonOf(lastLines(stdout, 1)[0] ?? '')).data?.usage;
}

/** From the end, so that a long output costs no more than its last lines. */
function lastLines(text: string, count: number): string[] {
  const lines: string[] = [];
  for (let end = text.length; end > 0 && lines.length < count;) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const line = text.slice(start, end).trim();
    if (line !== '') lines.unshift(line);
    end = start - 1;
  }
  return lines;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/** What is not a valid usage is no usage: a mistake in the bookkeeping must not cost the work. */
function UsageOrNone(): z.ZodType<Usage | undefined> {
  return z
    .object({
      inputTokens: Usage.shape.inputTokens.default(0),
      outputTokens: Usage.shape.outputTokens.default(0),
      costUsd: Usage.shape.costUsd.default(0),
    })
    .optional()
    .catch(undefined);
}
