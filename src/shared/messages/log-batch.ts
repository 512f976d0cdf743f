import { z } from 'zod';
import { Instant, JobId, TaskId } from '../domain/ids.ts';
import { envelope } from './envelope.ts';

/** One thing a runner said or did, a line of a check, or of the agent about them (`note`). */
export const LogEntry = z.strictObject({
  at: Instant,
  type: z.enum(['stdout', 'stderr', 'note', 'setup', 'check', 'thinking', 'message', 'tool_call', 'tool_result', 'usage', 'error']),
  text: z.string(),
});
export type LogEntry = z.infer<typeof LogEntry>;

/** What was said within 100 ms, or 64 KB of it. */
export const LogBatch = z.strictObject({
  ...envelope,
  jobId: JobId,
  taskId: TaskId,
  attempt: z.number().int().positive(),
  entries: z.array(LogEntry).min(1),
});
export type LogBatch = z.infer<typeof LogBatch>;
