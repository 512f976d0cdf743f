import type { Job } from '../../shared/domain/job.ts';
import { viewOf } from '../../shared/domain/view.ts';
import { type CliContext, EXIT, type ExitCode } from '../context.ts';
import { jobLines } from '../render/job.ts';
import { styleFor } from '../render/style.ts';

/** Prints a job: the JSON shape of one with `--json`, else for people. */
export async function printJob(job: Job, io: CliContext): Promise<void> {
  const view = viewOf(job);
  if (io.json()) io.printJson(view);
  else for (const line of jobLines(view, await styleFor(io, io.stdout), io.now())) io.print(line);
}

/** What a command that waited for a job exits with. */
export function exitCodeOfJob({ status }: Job): ExitCode {
  switch (status) {
    case 'FAILED':
      return EXIT.failed;
    case 'CANCELLED':
      return EXIT.cancelled;
    case 'WAITING_APPROVAL':
      return EXIT.waitingForApproval;
    case 'COMPLETED':
    case 'PENDING':
    case 'IN_PROGRESS':
      return EXIT.done;
  }
}
