import type { LogBatch } from '../../shared/messages/log-batch.ts';

/** A line of a log as it is shown to programs. These names are a contract; more may come. */
export interface LogLine {
  /** Unique within all logs, and rising. */
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  readonly jobId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly type: string;
  readonly text: string;
}

/** More lines than a batch can have (64 KB of them, or those of 100 ms). */
const LINES_PER_BATCH = 100_000;

/** @param seq the batch's sequence in LOGS */
export function logLinesOf(batch: LogBatch, seq: number): LogLine[] {
  const { jobId, taskId, attempt } = batch;
  return batch.entries.map(({ at, type, text }, index) => ({
    seq: seq * LINES_PER_BATCH + index,
    at: new Date(at).toISOString(),
    jobId,
    taskId,
    attempt,
    type,
    text,
  }));
}
