import type { NatsConnection } from '@nats-io/transport-node';
import type { JobId } from '../../shared/domain/ids.ts';
import type { Job } from '../../shared/domain/job.ts';
import { InterruptedError } from '../../shared/errors/errors.ts';
import { followJob } from '../../shared/messaging/follow.ts';
import type { JobReader } from '../../shared/messaging/job-reader.ts';
import type { CliContext, Output } from '../context.ts';
import { createDisplay } from '../live/view.ts';

export interface FollowTo {
  readonly jobId: JobId;
  readonly until: (job: Job) => boolean;
  /** Where the events go when there is no terminal for the live view. */
  readonly plainOutput: Output;
  /** Told of every new state. */
  readonly onState?: (job: Job) => void;
}

/**
 * Shows a job as it goes on, until it is where one waits for it to be.
 *
 * @throws InterruptedError on Ctrl-C: the job goes on without us
 */
export async function followTo(
  nc: NatsConnection,
  jobs: JobReader,
  io: CliContext,
  { jobId, until, plainOutput, onState }: FollowTo,
): Promise<Job> {
  const display = await createDisplay(io, plainOutput);
  let last: Job | undefined;
  try {
    for await (const item of followJob(nc, jobs, jobId, { until, logs: 1, signal: io.interrupted })) {
      display.show(item);
      if (item.type !== 'job') continue;
      if (item.job.updatedAt !== last?.updatedAt || item.job.status !== last.status) onState?.(item.job);
      last = item.job;
    }
  } catch (error) {
    if (!io.interrupted.aborted) throw error;
    throw new InterruptedError('interrupted', `Interrupted; the job goes on. Watch it with: multi-agent job-status ${jobId} --watch`, {
      details: { jobId },
    });
  } finally {
    display.end();
  }
  if (!last) throw new Error('a job that is followed has a state');
  return last;
}
