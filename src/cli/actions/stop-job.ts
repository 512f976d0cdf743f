import { isTerminal, type Job } from '../../shared/domain/job.ts';
import { type CliContext, EXIT } from '../context.ts';
import { fine, giveCommand, type NothingToDo } from './command.ts';

/** `stop-job`: idempotent. A job that was merged already can't be stopped: exit 1. */
export async function stopJob(io: CliContext, id: string): Promise<void> {
  await giveCommand(io, id, {
    plan: (job) => (isTerminal(job.status) ? stopped(job) : { type: 'StopJob' }),
    whenEnded: stopped,
  });
}

function stopped(job: Job): NothingToDo {
  if (job.status === 'COMPLETED') return { say: 'Too late: the change is merged.', exit: EXIT.failed };
  return fine(job.status === 'FAILED' ? 'The job had failed already.' : 'The job is cancelled.');
}
