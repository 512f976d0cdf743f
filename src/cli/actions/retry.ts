import type { CliContext } from '../context.ts';
import { giveCommand, refuse } from './command.ts';

/** `retry`: a job that FAILED or was CANCELLED goes on, on its branch. */
export async function retry(io: CliContext, id: string): Promise<void> {
  await giveCommand(io, id, {
    plan: (job) =>
      job.status === 'COMPLETED' ? refuse('not_retryable', 'The job is COMPLETED: its change is merged.', job) : { type: 'RetryJob' },
    // A job that failed is in an end until the command is taken up.
    isEnd: ({ status }) => status === 'COMPLETED',
    whenEnded: (job) => refuse('not_retryable', 'The job is COMPLETED: its change is merged.', job),
  });
}
