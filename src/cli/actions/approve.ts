import { isTerminal, type Job } from '../../shared/domain/job.ts';
import { InvalidInputError } from '../../shared/errors/errors.ts';
import type { CliContext } from '../context.ts';
import { fine, giveCommand, type NothingToDo, refuse } from './command.ts';

const FULL_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const SHORT_ID = /^[0-9a-f]{7,64}$/;

/** `approve`: of the head that `--head` names, else of the one the job has now. What was approved before is done, not wrong. */
export async function approve(io: CliContext, id: string, { head }: { head?: string }): Promise<void> {
  const named = head?.toLowerCase();
  if (named !== undefined && !SHORT_ID.test(named)) {
    throw new InvalidInputError('bad_head', [`--head: ${JSON.stringify(head)} is no commit id of at least 7 hexadecimal digits`]);
  }
  await giveCommand(io, id, {
    plan: (job) => {
      const headCommit = headOf(job, named);
      if (isTerminal(job.status)) return ended(job);
      if (job.status === 'IN_PROGRESS' && job.phase === 'merging') return fine('Approved already: it is being merged.');
      return { type: 'ApproveJob', ...(headCommit === undefined ? {} : { headCommit }) };
    },
    whenEnded: ended,
  });
}

/** The commit that is approved: never one that the person did not see. */
function headOf(job: Job, named: string | undefined): string | undefined {
  if (named === undefined) return job.headCommit;
  if (job.headCommit?.startsWith(named) === true) return job.headCommit;
  if (job.headCommit === undefined)
    return FULL_ID.test(named) ? named : refuse('not_waiting', `The job has no change yet: it is ${job.status}, ${job.phase}.`, job);
  return refuse(
    'head_moved',
    `The head moved: you approve ${named}, the job's head is ${job.headCommit}. Look at it again with "multi-agent show ${job.id}".`,
    job,
  );
}

function ended(job: Job): NothingToDo {
  if (job.status === 'COMPLETED') return fine('The change is merged.');
  return refuse('not_waiting', `The job waits for no approval: it is ${job.status}.`, job);
}
