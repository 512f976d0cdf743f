import { z } from 'zod';
import { Decision, type Review, ReviewComment } from '../domain/review.ts';
import { TerminalError } from '../errors/errors.ts';

/** A review without what only the caller knows: the round, and the head commit that was judged. */
export type Verdict = Omit<Review, 'round' | 'headCommit'>;

const MAX_COMMENTS = 500;
const MAX_BODY = 20_000;
const MAX_SUMMARY = 100_000;
/**
 * As JSON, in bytes; together under 256 KB. All verdicts of a job lie in its one record, and go into every further task: a message may
 * have no more than the server takes (8 MB for ours).
 */
const MAX_SUMMARY_BYTES = 104 * 1024;
const MAX_COMMENTS_BYTES = 150 * 1024;

// What other tools call the same decisions.
const OTHER_NAMES: Readonly<Record<string, string>> = { APPROVED: 'APPROVE', CHANGES_REQUESTED: 'REQUEST_CHANGES', COMMENTED: 'COMMENT' };

const GivenComment = z.object({
  path: z.string().catch(''),
  line: z.number().int().positive().optional().catch(undefined),
  side: z.string().toUpperCase().pipe(ReviewComment.shape.side.unwrap()).catch('RIGHT'),
  severity: z.string().toLowerCase().pipe(ReviewComment.shape.severity.unwrap()).catch('warning'),
  body: z.string(),
  suggestion: z.string().max(MAX_BODY).optional().catch(undefined),
});
type GivenComment = z.infer<typeof GivenComment>;

const GivenVerdict = z.object({
  decision: z
    .string()
    .transform((text) =>
      text
        .trim()
        .toUpperCase()
        .replaceAll(/[\s-]+/g, '_'),
    )
    .transform((name) => OTHER_NAMES[name] ?? name)
    .pipe(Decision),
  summary: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  comments: z
    .array(GivenComment)
    .nullish()
    .transform((comments) => comments ?? []),
});

/**
 * Reads a verdict as a runner gave it. Tolerant of form: the decision in any case, comments or summary missing, an
 * unknown severity (`warning`), further fields. Comments that name no line go to the summary, empty ones are left out,
 * and what is beyond 500 comments, or 150 KB of them, is counted there.
 *
 * Throws `TerminalError` `invalid_verdict` naming every fault: above all, a decision is never guessed.
 */
export function parseVerdict(given: unknown): Verdict {
  const parsed = GivenVerdict.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'verdict'}: ${issue.message}`);
    throw new TerminalError('invalid_verdict', `the verdict is not valid: ${faults.join('; ')}`, { details: { faults } });
  }
  const { decision, summary, comments } = parsed.data;
  const meant = comments
    .filter((comment) => comment.body.trim() !== '')
    .map((comment) => ({ ...comment, body: comment.body.slice(0, MAX_BODY) }));
  const onLines = meant.filter((comment) => isOnLine(comment));
  const others = meant.filter((comment) => !isOnLine(comment));
  const kept = fitting(onLines.slice(0, MAX_COMMENTS).map((comment) => commentOf(comment)));
  const tooMany = onLines.length - kept.length;
  return withRemarks(
    { decision, summary, comments: kept },
    others.map((comment) => remarkOf(comment)),
    tooMany > 0 ? `(${String(tooMany)} more comments were left out)` : '',
  );
}

/** The first of them, as many as are within the limit. */
function fitting(comments: readonly ReviewComment[]): ReviewComment[] {
  let bytes = 0;
  const tooLarge = comments.findIndex((comment) => (bytes += jsonBytes(comment) + 1) > MAX_COMMENTS_BYTES);
  return comments.slice(0, tooLarge === -1 ? comments.length : tooLarge);
}

/** Adds lines to a verdict's summary, as far as they fit; `last` always does. */
export function withRemarks(verdict: Verdict, remarks: readonly string[], last = ''): Verdict {
  const text = lines([verdict.summary, ...remarks]);
  const reserved = last === '' ? 0 : last.length + 1;
  return { ...verdict, summary: lines([cut(text, MAX_SUMMARY - reserved, MAX_SUMMARY_BYTES - reserved), last]) };
}

function lines(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}

function cut(text: string, maxLength: number, maxBytes: number): string {
  let shown = text.slice(0, maxLength);
  for (let bytes = jsonBytes(shown); bytes > maxBytes; bytes = jsonBytes(shown)) {
    shown = shown.slice(0, Math.min(shown.length - 1, Math.floor((shown.length * maxBytes) / bytes)));
  }
  return shown;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** A comment in one line, for where it cannot stand at its place. */
export function remarkOf(comment: {
  readonly path: string;
  readonly line?: number | undefined;
  readonly severity: string;
  readonly body: string;
}): string {
  const line = comment.line === undefined ? '' : `:${String(comment.line)}`;
  const place = comment.path === '' ? '' : `${comment.path}${line} `;
  return `- ${place}[${comment.severity}] ${comment.body}`;
}

function isOnLine(comment: GivenComment): comment is GivenComment & { line: number } {
  return comment.path !== '' && comment.line !== undefined;
}

function commentOf({ suggestion, ...comment }: GivenComment & { line: number }): ReviewComment {
  const path = comment.path.replace(/^(?:\.\/)+/, '');
  return { ...comment, path, ...(suggestion === undefined ? {} : { suggestion }) };
}
