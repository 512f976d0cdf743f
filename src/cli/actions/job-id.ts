import { JobId } from '../../shared/domain/ids.ts';
import { InvalidInputError, NotFoundError } from '../../shared/errors/errors.ts';
import type { JobReader, StoredJob } from '../../shared/messaging/job-reader.ts';

/** @throws InvalidInputError `bad_job_id` for what can't be an id of a job */
export function parseJobId(typed: string): JobId {
  const parsed = JobId.safeParse(typed);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError('bad_job_id', [
    `${JSON.stringify(typed)} is no job id: that is "job-" and 26 characters, as "multi-agent list-jobs" shows it`,
  ]);
}

/** @throws NotFoundError `no_such_job` */
export async function requireJob(jobs: JobReader, jobId: JobId): Promise<StoredJob> {
  const stored = await jobs.get(jobId);
  if (stored) return stored;
  throw new NotFoundError('no_such_job', `There is no job ${jobId}.`, { details: { jobId } });
}
