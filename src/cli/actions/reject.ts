import { isTerminal } from '../../shared/domain/job.ts';
import { InvalidInputError } from '../../shared/errors/errors.ts';
import { RejectJob } from '../../shared/messages/job-input.ts';
import type { CliContext } from '../context.ts';
import { createFaults } from '../submission/faults.ts';
import { textOrFile } from '../submission/text-or-file.ts';
import { giveCommand, refuse } from './command.ts';

/** `reject`: another round on the same branch, with this comment as its verdict. */
export async function reject(io: CliContext, id: string, { comment }: { comment?: string }): Promise<void> {
  const checked = await commentOf(comment, io.cwd);
  await giveCommand(io, id, {
    plan: (job) => {
      if (isTerminal(job.status)) return refuse('not_waiting', `The job waits for no approval: it is ${job.status}.`, job);
      // What the job has now is what was looked at: the command may come to a later round than it was meant for.
      return { type: 'RejectJob', comment: checked, ...(job.headCommit === undefined ? {} : { headCommit: job.headCommit }) };
    },
    whenEnded: (job) => refuse('not_waiting', `The job has ended meanwhile: it is ${job.status}.`, job),
  });
}

async function commentOf(typed: string | undefined, cwd: string): Promise<string> {
  if (typed === undefined) throw new InvalidInputError('invalid_input', ['--comment is missing: say what should be otherwise']);
  const faults = createFaults();
  const text = await textOrFile('--comment', typed, cwd, faults);
  const comment = text === undefined ? undefined : faults.check('--comment', RejectJob.shape.comment, text);
  faults.throwIfAny();
  return comment ?? '';
}
