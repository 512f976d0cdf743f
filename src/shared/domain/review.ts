import { z } from 'zod';
import { CommitId } from './ids.ts';

export const Decision = z.enum(['APPROVE', 'REQUEST_CHANGES', 'COMMENT']);
export type Decision = z.infer<typeof Decision>;

export const ReviewComment = z.strictObject({
  path: z.string().min(1),
  /** 1-based, on `side`. */
  line: z.number().int().positive(),
  /** `RIGHT`: the file after the change; `LEFT`: before it. */
  side: z.enum(['LEFT', 'RIGHT']).default('RIGHT'),
  severity: z.enum(['info', 'warning', 'error']).default('warning'),
  body: z.string().min(1).max(20_000),
  suggestion: z.string().max(20_000).optional(),
});
export type ReviewComment = z.infer<typeof ReviewComment>;

/** A verdict. It names the head commit it judged: nothing else is merged on its strength. */
export const Review = z.strictObject({
  round: z.number().int().positive(),
  decision: Decision,
  headCommit: CommitId,
  summary: z.string().max(100_000),
  comments: z.array(ReviewComment).max(500),
});
export type Review = z.infer<typeof Review>;
