import { setTimeout as delay } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { CommandOutcome, Job } from '../domain/job.ts';
import { UnreachableError } from '../errors/errors.ts';
import type { CommandMessage } from '../messages/job-input.ts';
import { subjects } from '../messages/subjects.ts';
import type { JobReader } from './job-reader.ts';
import { publishUntilAcknowledged } from './publish.ts';

export interface CommandOptions {
  /** How long to wait for a repo-manager's answer (milliseconds). Default 10,000. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export type CommandAnswer =
  | { readonly type: 'answered'; readonly job: Job; readonly outcome: CommandOutcome }
  /** The job is in an end that the command does not change. */
  | { readonly type: 'ended'; readonly job: Job }
  /** Stored; no repo-manager has taken it up yet. */
  | { readonly type: 'stored'; readonly job: Job };

const PATIENCE_MS = 10_000;
const STORE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

/**
 * Gives a command to the repo-manager: stored under its id, so that it is carried out once however often it is sent. Then waits for the
 * answer in the job's record.
 *
 * @param isEnd an end of the job at which no answer is to be expected
 * @throws UnreachableError `command_unconfirmed` when it is not known whether it is stored
 */
export async function commandJob(
  nc: NatsConnection,
  jobs: JobReader,
  command: CommandMessage,
  isEnd: (job: Job) => boolean,
  { patienceMs = PATIENCE_MS, signal }: CommandOptions = {},
): Promise<CommandAnswer> {
  await store(nc, command, signal);
  const deadline = performance.now() + patienceMs;
  let job = await requireJob(jobs, command);
  for (;;) {
    const outcome = job.commands.find(({ id }) => id === command.commandId);
    if (outcome) return { type: 'answered', job, outcome };
    if (isEnd(job)) return { type: 'ended', job };
    if (performance.now() > deadline) return { type: 'stored', job };
    await delay(LOOK_EVERY_MS, undefined, signal ? { signal } : {});
    job = await requireJob(jobs, command);
  }
}

async function store(nc: NatsConnection, command: CommandMessage, signal: AbortSignal | undefined): Promise<void> {
  const tooLong = AbortSignal.timeout(STORE_WITHIN_MS);
  try {
    await publishUntilAcknowledged(jetstream(nc), subjects.input('command', command.jobId), command, {
      messageId: command.commandId,
      traceparent: command.traceparent,
      signal: signal ? AbortSignal.any([signal, tooLong]) : tooLong,
    });
  } catch (error) {
    if (!tooLong.aborted || signal?.aborted === true) throw error;
    throw new UnreachableError(
      'command_unconfirmed',
      'NATS does not answer: it is not known whether the command is stored. Give it again when NATS is back.',
      {
        cause: error,
      },
    );
  }
}

async function requireJob(jobs: JobReader, { jobId }: CommandMessage): Promise<Job> {
  const stored = await jobs.get(jobId);
  if (!stored) throw new UnreachableError('job_gone', `${jobId} was there a moment ago, and is not any more.`);
  return stored.job;
}
