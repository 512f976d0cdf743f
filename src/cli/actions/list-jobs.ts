import { JobStatus } from '../../shared/domain/job.ts';
import { viewOf } from '../../shared/domain/view.ts';
import { openJobReader } from '../../shared/messaging/job-reader.ts';
import type { CliContext } from '../context.ts';
import { jobTable } from '../render/job-table.ts';
import { styleFor } from '../render/style.ts';
import { createFaults } from '../submission/faults.ts';

export interface ListFlags {
  readonly status?: readonly string[];
  readonly needsMe?: boolean;
  readonly limit?: string;
  readonly before?: string;
}

const DEFAULT_LIMIT = 20;
const LARGEST_LIMIT = 1_000;
/** Wide enough for whatever is piped on. */
const UNLIMITED_COLUMNS = 10_000;

/** `list-jobs`: `{ jobs, next?, unreadable? }`, newest first; `next` is what `--before` takes. */
export async function listJobs(io: CliContext, flags: ListFlags): Promise<void> {
  const query = queryOf(flags);
  const { jobs, next, unreadable } = await (await openJobReader(await io.connect())).list(query);
  const views = jobs.map(viewOf);
  if (io.json()) {
    io.printJson({ jobs: views, ...(next === undefined ? {} : { next: String(next) }), ...(unreadable.length > 0 ? { unreadable } : {}) });
    return;
  }
  const columns = io.stdout.isTty ? io.stdout.columns : UNLIMITED_COLUMNS;
  for (const line of jobTable(views, await styleFor(io, io.stdout), io.now(), columns)) io.print(line);
  if (unreadable.length > 0) io.note(`Left out, because their records can't be read: ${unreadable.join(', ')}`);
  if (next !== undefined) io.note(`There are more: add --before ${String(next)}`);
}

function queryOf({ status = [], needsMe = false, limit, before }: ListFlags) {
  const faults = createFaults();
  const names = status.flatMap((list) => list.split(',')).map((name) => name.trim().toUpperCase());
  const statuses = names.flatMap((name) => {
    const { data } = JobStatus.safeParse(name);
    if (data === undefined) faults.add('invalid_input', `--status: ${JSON.stringify(name)} is none of ${JobStatus.options.join(', ')}`);
    return data ?? [];
  });
  const count = limit === undefined ? DEFAULT_LIMIT : wholeNumber(limit);
  if (count === undefined || count > LARGEST_LIMIT)
    faults.add('invalid_input', `--limit: ${JSON.stringify(limit)} is no number from 1 to ${String(LARGEST_LIMIT)}`);
  const cursor = before === undefined ? undefined : wholeNumber(before);
  if (before !== undefined && cursor === undefined)
    faults.add('invalid_input', `--before: ${JSON.stringify(before)} is no "next" of an earlier list`);
  faults.throwIfAny();
  return {
    limit: count ?? DEFAULT_LIMIT,
    needsMe,
    ...(statuses.length === 0 ? {} : { statuses }),
    ...(cursor === undefined ? {} : { before: cursor }),
  };
}

/** From 1. */
function wholeNumber(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}
