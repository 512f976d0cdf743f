import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { isTerminal, type Job } from '../../shared/domain/job.ts';
import { InvalidInputError, UnreachableError } from '../../shared/errors/errors.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import { CommandMessage } from '../../shared/messages/job-input.ts';
import { commandJob } from '../../shared/messaging/command-job.ts';
import { openJobReader } from '../../shared/messaging/job-reader.ts';
import { type CliContext, EXIT, type ExitCode } from '../context.ts';
import { parseJobId, requireJob } from './job-id.ts';
import { printJob } from './print-job.ts';

export interface JobCommandPlan {
  /** What is to be sent about the job as it is; or what to say, and exit with, when there is nothing (more) to do. */
  readonly plan: (job: Job) => CommandBody | NothingToDo;
  /** What the exit is when the job has ended meanwhile. */
  readonly whenEnded: (job: Job) => NothingToDo;
  /** Whether the job is in an end at which no answer is to be expected. */
  readonly isEnd?: (job: Job) => boolean;
}

type Body<T> = T extends { type: string } ? Omit<T, 'v' | 'traceparent' | 'jobId' | 'commandId' | 'at'> : never;
export type CommandBody = Body<CommandMessage>;

export interface NothingToDo {
  readonly say: string;
  readonly exit: ExitCode;
}

/**
 * Gives a command about a job, prints the job as it is afterwards.
 *
 * @throws InvalidInputError `refused` with the repo-manager's reason
 * @throws UnreachableError `no_repo_manager` when the command is stored and waits for one
 */
export async function giveCommand(
  io: CliContext,
  id: string,
  { plan, whenEnded, isEnd = ({ status }) => isTerminal(status) }: JobCommandPlan,
): Promise<void> {
  const jobId = parseJobId(id);
  const nc = await io.connect();
  const jobs = await openJobReader(nc);
  const { job } = await requireJob(jobs, jobId);
  const planned = plan(job);
  if (!('type' in planned)) return settle(io, job, planned);

  const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
  const message = CommandMessage.parse(versioned({ traceparent, jobId, commandId: `cmd-${ulid(io.now())}`, at: io.now(), ...planned }));
  const answer = await commandJob(nc, jobs, message, isEnd, { signal: io.interrupted });
  if (answer.type === 'ended') return settle(io, answer.job, whenEnded(answer.job));
  if (answer.type === 'stored') throw notTakenUp(jobId, message.commandId);
  if (!answer.outcome.accepted) {
    throw new InvalidInputError('refused', [answer.outcome.message ?? 'The command was refused.'], {
      details: { jobId, status: answer.job.status, phase: answer.job.phase },
    });
  }
  await printJob(answer.job, io);
}

async function settle(io: CliContext, job: Job, { say, exit }: NothingToDo): Promise<void> {
  io.note(say);
  await printJob(job, io);
  io.exitWith(exit);
}

function notTakenUp(jobId: string, commandId: string): UnreachableError {
  return new UnreachableError(
    'no_repo_manager',
    `The command is stored, and takes effect when a repo-manager takes it up. Is one running ("multi-agent status")? "multi-agent up" starts it; "multi-agent job-status ${jobId}" shows the job.`,
    { details: { jobId, commandId, stored: true } },
  );
}

/** A refusal that needs no repo-manager to be known. */
export function refuse(code: string, message: string, job: Job): never {
  throw new InvalidInputError(code, [message], { details: { jobId: job.id, status: job.status, phase: job.phase } });
}

/** @returns what to say of a job that is done, as wanted */
export function fine(say: string): NothingToDo {
  return { say, exit: EXIT.done };
}
