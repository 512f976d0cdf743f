import path from 'node:path';
import { z } from 'zod';
import type { ChangeRequest } from '../../domain/change.ts';
import { CommitId, Instant, JobId } from '../../domain/ids.ts';
import { Review } from '../../domain/review.ts';
import { TerminalError } from '../../errors/errors.ts';
import { MAKING } from '../../git/aside.ts';
import type { ProposedChange } from '../forge.ts';
import { hasFact, listFacts, readFact, writeFact } from './facts.ts';

const Opened = z.object({
  number: z.number().int().positive(),
  jobId: JobId,
  title: z.string(),
  body: z.string(),
  head: z.string(),
  headCommit: CommitId,
  base: z.string(),
});
export type Opened = z.infer<typeof Opened>;

const Merged = z.object({ mergeCommit: CommitId, headCommit: CommitId, at: Instant });
export type Merged = z.infer<typeof Merged>;

/** All that is known of a job's change request. */
export interface ChangeRequestRecord extends Opened {
  readonly reviews: readonly Review[];
  readonly merged: Merged | null;
}

/**
 * The change requests of one repository, in `<home>/forge/<repoKey>`. A record is never rewritten: it is what follows from
 * facts that are each written once, so that nothing is lost or doubled whoever writes at the same time.
 */
export interface ChangeRequestStore {
  read(jobId: JobId): Promise<ChangeRequestRecord | null>;
  /** Opens it, or gives the one that there is. */
  open(change: ProposedChange): Promise<ChangeRequestRecord>;
  /** The job whose change request has this number. Throws `TerminalError` `change_request_not_found`. */
  jobOf(number: number): Promise<JobId>;
  addReview(jobId: JobId, review: Review): Promise<void>;
  markMerged(jobId: JobId, merged: Merged): Promise<void>;
}

export function createChangeRequestStore(directory: string): ChangeRequestStore {
  const fact = (jobId: JobId, ...name: string[]) => path.join(directory, JobId.parse(jobId), ...name);
  const making = path.join(directory, MAKING);
  const read = (jobId: JobId) => readRecord(fact(jobId));
  return {
    read,
    open: async (change) => (await read(change.jobId)) ?? openRecord(directory, fact(change.jobId, 'opened.json'), change, read),
    jobOf: (number) => jobOfNumber(directory, number),
    addReview: async (jobId, review) => {
      const name = `${String(review.round)}-${review.headCommit}-${review.decision.toLowerCase()}.json`;
      await writeFact(fact(jobId, 'reviews', name), review, making);
    },
    markMerged: async (jobId, merged) => {
      await writeFact(fact(jobId, 'merged.json'), merged, making);
    },
  };
}

/** The record as the rest of the system knows change requests. `headCommit`: where the branch is now, if it is. */
export function changeRequestOf(record: ChangeRequestRecord, headCommit: CommitId | undefined): ChangeRequest {
  const { merged } = record;
  return {
    number: record.number,
    head: record.head,
    headCommit: merged?.headCommit ?? headCommit ?? record.headCommit,
    base: record.base,
    state: merged === null ? 'open' : 'merged',
    merged: merged !== null,
    ...(merged === null ? {} : { mergeCommit: merged.mergeCommit, mergedAt: merged.at }),
  };
}

async function readRecord(directory: string): Promise<ChangeRequestRecord | null> {
  const opened = await readFact(path.join(directory, 'opened.json'));
  if (opened === undefined) return null;
  const reviews = path.join(directory, 'reviews');
  const names = await listFacts(reviews);
  const merged = await readFact(path.join(directory, 'merged.json'));
  const read = await Promise.all(names.map(async (name) => Review.parse(await readFact(path.join(reviews, name)))));
  return {
    ...Opened.parse(opened),
    reviews: read.sort((a, b) => a.round - b.round),
    merged: merged === undefined ? null : Merged.parse(merged),
  };
}

async function openRecord(
  directory: string,
  file: string,
  { jobId, title, body, head, headCommit, base }: ProposedChange,
  read: (jobId: JobId) => Promise<ChangeRequestRecord | null>,
): Promise<ChangeRequestRecord> {
  const number = await takeNumber(directory, jobId);
  // Two that open it at once take two numbers; only one of them is ever the change request's.
  await writeFact(file, { number, jobId, title, body, head, headCommit, base } satisfies Opened, path.join(directory, MAKING));
  const record = await read(jobId);
  if (record === null) throw new TerminalError('change_request_not_found', `The record of ${jobId} vanished while it was written.`);
  return record;
}

/** Takes the next free number of the repository, without listing those that are taken. */
async function takeNumber(directory: string, jobId: JobId): Promise<number> {
  const isTaken = (number: number) => hasFact(numberFact(directory, number));
  let number = await firstThatIsNot(isTaken);
  while (!(await writeFact(numberFact(directory, number), jobId, path.join(directory, MAKING)))) number += 1;
  return number;
}

/** The first number from 1 on that is not taken, where all below it are: doubled until it is beyond, then halved in. */
async function firstThatIsNot(isTaken: (number: number) => Promise<boolean>): Promise<number> {
  let free = 1;
  while (await isTaken(free)) free *= 2;
  let taken = Math.floor(free / 2);
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (await isTaken(middle)) taken = middle;
    else free = middle;
  }
  return free;
}

function numberFact(directory: string, number: number): string {
  return path.join(directory, 'numbers', String(number));
}

async function jobOfNumber(directory: string, number: number): Promise<JobId> {
  const job = JobId.safeParse(await readFact(numberFact(directory, number)));
  if (job.success) return job.data;
  throw new TerminalError('change_request_not_found', `There is no change request ${String(number)}.`);
}
