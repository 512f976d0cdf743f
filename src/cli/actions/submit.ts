import { isTerminal } from '../../shared/domain/job.ts';
import { openJobReader } from '../../shared/messaging/job-reader.ts';
import { submitFeature } from '../../shared/messaging/submit.ts';
import type { CliContext } from '../context.ts';
import { parseSubmission, type Submission } from '../submission/feature-request.ts';
import { requireJob } from './job-id.ts';
import { exitCodeOfJob, printJob } from './print-job.ts';

export interface SubmitFlags extends Submission {
  readonly wait?: boolean;
}

/** `submit-feature` and (`firstJob`) `start-project`: stores the request, prints its job; with `--wait` follows it to its end first. */
export async function submit(io: CliContext, flags: SubmitFlags, firstJob: boolean): Promise<void> {
  const connection = await io.connection();
  const local = connection.embedded || isLoopback(connection.url);
  const request = await parseSubmission(flags, { cwd: io.cwd, home: io.env['HOME'], local, now: io.now(), firstJob });
  const nc = await io.connect({ follow: flags.wait === true });
  const jobs = await openJobReader(nc);
  const submitted = await submitFeature(nc, jobs, request, { signal: io.interrupted });
  if (submitted.repeated) io.note(`${request.jobId} was submitted before with this key: it is the same job.`);
  if (flags.wait !== true) {
    await printJob((await requireJob(jobs, request.jobId)).job, io);
    if (!io.json()) io.note(`Watch it with: multi-agent job-status ${request.jobId} --watch`);
    return;
  }
  const until = (job: { status: Parameters<typeof isTerminal>[0] }): boolean => isTerminal(job.status) || job.status === 'WAITING_APPROVAL';
  const { followTo } = await import('./follow-to.ts');
  const ended = await followTo(nc, jobs, io, { jobId: request.jobId, until, plainOutput: io.stderr });
  await printJob(ended, io);
  io.exitWith(exitCodeOfJob(ended));
}

function isLoopback(url: string): boolean {
  return url.split(',').every((one) => {
    const host = URL.canParse(one) ? new URL(one).hostname : one.split(':')[0];
    return host === 'localhost' || host === '[::1]' || (host?.startsWith('127.') ?? false);
  });
}
