import { z } from 'zod';
import { JobId } from '../../shared/domain/ids.ts';
import { InvalidInputError, NotFoundError } from '../../shared/errors/errors.ts';
import type { DeadLetter } from '../../shared/messages/agent.ts';
import { type DeadLetterBox, openDeadLetterBox, type StoredDeadLetter } from '../../shared/messaging/dead-letter-box.ts';
import { type JobReader, openJobReader } from '../../shared/messaging/job-reader.ts';
import { STREAMS } from '../../shared/messaging/topology.ts';
import type { CliContext } from '../context.ts';
import { age } from '../render/amounts.ts';
import { styleFor } from '../render/style.ts';
import { visible } from '../render/visible.ts';

const DEFAULT_LIMIT = 50;
/** A task carries the key of its bundles: nobody needs it to see what went wrong. */
const BUNDLE_KEY = /("bundleKey"\s*:\s*")[^"]*(")/g;

/** `dead list`: `{ letters: [{ seq, at, stream, subject, streamSeq, deliveries, reason, payload }] }`, newest first. */
export async function listDead(io: CliContext, { limit }: { limit?: string }): Promise<void> {
  const count = limit === undefined ? DEFAULT_LIMIT : numberOf('--limit', limit);
  const letters = await (await openDeadLetterBox(await io.connect())).list(count);
  if (io.json()) io.printJson({ letters: letters.map(viewOfLetter) });
  else await printLetters(io, letters);
}

async function printLetters(io: CliContext, letters: readonly StoredDeadLetter[]): Promise<void> {
  if (letters.length === 0) io.print('no dead letters');
  const style = await styleFor(io, io.stdout);
  for (const { seq, letter } of letters) {
    io.print(
      `${style.bold(String(seq))}  ${visible(letter.subject)}  ${style.dim(`${age(io.now() - letter.at)} ago, delivered ${String(letter.deliveries)} times`)}`,
    );
    io.print(`  ${style.red(letter.reason.code)} ${visible(letter.reason.message.split('\n')[0] ?? '')}`);
  }
}

/**
 * `dead retry`: the message goes back where it was meant to go.
 *
 * @throws InvalidInputError where that would do nothing, or harm: `letter_cut`, `task_of_a_job` (its claim is gone, and a copy of it
 * would be dropped unseen), `job_exists` (for a request)
 */
export async function retryDead(io: CliContext, typed: string): Promise<void> {
  const nc = await io.connect();
  const box = await openDeadLetterBox(nc);
  const stored = await requireLetter(box, numberOf('<seq>', typed));
  await requireWorthSending(stored.letter, await openJobReader(nc));
  await box.retry(stored);
  if (io.json()) io.printJson({ retried: viewOfLetter(stored) });
  else io.print(`Sent to ${stored.letter.subject} again.`);
}

async function requireWorthSending(letter: DeadLetter, jobs: JobReader): Promise<void> {
  const refuse = (code: string, message: string, details = {}): never => {
    throw new InvalidInputError(code, [message], { details });
  };
  if (letter.cut === true)
    refuse('letter_cut', 'The message was too long to be kept whole: what is left of it must not go out in its place.');
  const jobId = jobOf(letter);
  if (jobId === undefined) return;
  const advice = `"multi-agent retry ${jobId}" has it done again, and "dead drop" deletes the letter.`;
  if (letter.stream === STREAMS.tasks) refuse('task_of_a_job', `Job ${jobId} has been told that its task failed: ${advice}`, { jobId });
  const isAccepted = letter.stream === STREAMS.requests && ((await jobs.get(jobId))?.revision ?? 0) > 0;
  if (isAccepted) refuse('job_exists', `Job ${jobId} was accepted: ${advice}`, { jobId });
}

/** `dead drop`: the letter is gone for good. */
export async function dropDead(io: CliContext, typed: string): Promise<void> {
  const box = await openDeadLetterBox(await io.connect());
  const stored = await requireLetter(box, numberOf('<seq>', typed));
  await box.drop(stored.seq);
  if (io.json()) io.printJson({ dropped: viewOfLetter(stored) });
  else io.print(`Dropped ${String(stored.seq)}.`);
}

async function requireLetter(box: DeadLetterBox, seq: number): Promise<StoredDeadLetter> {
  const stored = await box.get(seq);
  if (stored) return stored;
  throw new NotFoundError('no_such_letter', `There is no dead letter ${String(seq)}; "multi-agent dead list" shows those there are.`);
}

/** The job that a letter names; none where it can't be read, and so nobody could be told. */
function jobOf({ payload }: DeadLetter): JobId | undefined {
  try {
    return z.object({ jobId: JobId }).safeParse(JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))).data?.jobId;
  } catch {
    return undefined;
  }
}

function viewOfLetter({ seq, letter }: StoredDeadLetter) {
  const { at, stream, subject, streamSeq, deliveries, reason, payload } = letter;
  return {
    seq,
    at: new Date(at).toISOString(),
    stream,
    subject,
    streamSeq,
    deliveries,
    reason,
    payload: Buffer.from(payload, 'base64').toString('utf8').replace(BUNDLE_KEY, '$1[redacted]$2'),
  };
}

function numberOf(name: string, typed: string): number {
  if (/^[1-9]\d{0,14}$/.test(typed)) return Number(typed);
  throw new InvalidInputError('invalid_input', [`${name}: ${JSON.stringify(typed)} is no number from 1`]);
}
