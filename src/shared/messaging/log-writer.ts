import type { JetStreamClient } from '@nats-io/jetstream';
import { versioned } from '../messages/envelope.ts';
import type { LogBatch, LogEntry } from '../messages/log-batch.ts';
import { subjects } from '../messages/subjects.ts';

export interface LogWriter {
  /** Takes a line over; never waits, never throws. */
  write(entry: LogEntry): void;
  /** Sends what is left and says how much was dropped; waits a moment at most. */
  close(): Promise<void>;
}

export interface LogWriterOptions {
  readonly jobId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly now: () => number;
}

const BATCH_EVERY_MS = 100;
const BATCH_CHARACTERS = 64 * 1024;
/** What one task may say (characters); the rest is counted, not kept. */
export const TASK_LIMIT_CHARACTERS = 2 * 1024 * 1024;
const CLOSE_WITHIN_MS = 2_000;

/**
 * Sends what a runner says to LOGS, in batches. It is never on the runner's path: a batch that the server does not take is
 * lost, and counted, rather than holding anybody up.
 */
export function createLogWriter(js: JetStreamClient, { jobId, taskId, attempt, now }: LogWriterOptions): LogWriter {
  let batch: LogEntry[] = [];
  let batchSize = 0;
  let taken = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  const underWay = new Set<Promise<void>>();

  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (batch.length === 0) return;
    const message: LogBatch = versioned({ jobId, taskId, attempt, entries: batch });
    const lines = batch.length;
    batch = [];
    batchSize = 0;
    const sending = js.publish(subjects.log(jobId, taskId), JSON.stringify(message)).then(
      () => undefined,
      () => {
        dropped += lines;
      },
    );
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
  };

  const add = (entry: LogEntry): void => {
    batch.push(entry);
    batchSize += entry.text.length;
    if (batchSize >= BATCH_CHARACTERS) send();
    else timer ??= setTimeout(send, BATCH_EVERY_MS);
  };

  return {
    write: (entry) => {
      taken += entry.text.length;
      if (taken > TASK_LIMIT_CHARACTERS) dropped += 1;
      else add(entry);
    },
    close: async () => {
      send();
      await settledWithin(underWay, CLOSE_WITHIN_MS);
      if (dropped === 0) return;
      batch.push({ at: now(), type: 'note', text: `dropped ${String(dropped)} lines` });
      send();
      await settledWithin(underWay, CLOSE_WITHIN_MS);
    },
  };
}

async function settledWithin(promises: ReadonlySet<Promise<void>>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(promises), deadline]);
  clearTimeout(timer);
}
