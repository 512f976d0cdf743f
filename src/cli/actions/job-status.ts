import { isTerminal } from '../../shared/domain/job.ts';
import { viewOf } from '../../shared/domain/view.ts';
import { openJobReader } from '../../shared/messaging/job-reader.ts';
import type { CliContext } from '../context.ts';
import { parseJobId, requireJob } from './job-id.ts';
import { exitCodeOfJob, printJob } from './print-job.ts';

/** `job-status`: the job as it is; with `--watch` as it goes on, to its end (with `--json` a line a state). */
export async function jobStatus(io: CliContext, id: string, { watch = false }: { watch?: boolean }): Promise<void> {
  const jobId = parseJobId(id);
  const nc = await io.connect({ follow: watch });
  const jobs = await openJobReader(nc);
  const { job } = await requireJob(jobs, jobId);
  if (!watch) {
    await printJob(job, io);
    return;
  }
  const { followTo } = await import('./follow-to.ts');
  const ended = await followTo(nc, jobs, io, {
    jobId,
    until: ({ status }) => isTerminal(status),
    plainOutput: io.stdout,
    onState: (state) => {
      if (io.json()) io.printJson(viewOf(state));
    },
  });
  if (!io.json()) await printJob(ended, io);
  io.exitWith(exitCodeOfJob(ended));
}
