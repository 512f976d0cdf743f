import { randomBytes } from 'node:crypto';
import { JobId } from '../domain/ids.ts';
import { BUCKETS } from './topology.ts';

/** The stream below the object store of bundles. */
export const BUNDLE_STREAM = `OBJ_${BUCKETS.bundles}`;

const CHUNKS = `$O.${BUCKETS.bundles}.C`;
const PLACE_BYTES = 16;
const PLACED = /^(.+)\.([a-z-]+-\d+)\.([0-9a-f]{32})\.([a-z]+)$/;

/** Where one agent may write chunks. */
export function chunksOfWriter(agentId: string): string {
  return `${CHUNKS}.${agentId}.>`;
}

/** Adds to a bundle's name where it lies: who wrote it, and a number nobody can guess, new for each time it is stored. */
export function placedName(name: string, agentId: string): string {
  const kindAt = name.lastIndexOf('.');
  return `${name.slice(0, kindAt)}.${agentId}.${randomBytes(PLACE_BYTES).toString('hex')}${name.slice(kindAt)}`;
}

/** The subject of one chunk; null for a name that says no place. */
export function chunkSubject(placed: string, index: number): string | null {
  const place = placeOf(placed);
  return place && `${CHUNKS}.${place.writer}.${place.token}.${place.id}.${String(index)}`;
}

/** All chunks of a bundle: of the one time it was stored where the name says which, else of every time, by whomever. */
export function chunksOf(name: string): string {
  const place = placeOf(name);
  return place ? `${CHUNKS}.${place.writer}.${place.token}.${place.id}.*` : `${CHUNKS}.*.${tokenOf(name)}.>`;
}

/** Every chunk there is. */
export const ALL_CHUNKS = `${CHUNKS}.>`;

/** What is stored for each job, by the chunks' subjects: a filter for each time a bundle was stored. */
export function chunksOfJobs(subjects: readonly string[]): Map<JobId, Set<string>> {
  const jobs = new Map<JobId, Set<string>>();
  for (const subject of subjects) {
    const jobId = JobId.safeParse(/job-[0-9A-Z]{26}/.exec(subject)?.[0]).data;
    if (jobId === undefined) continue;
    const filters = jobs.get(jobId) ?? new Set();
    jobs.set(jobId, filters.add(subject.replace(/\.\d+$/, '.*')));
  }
  return jobs;
}

function placeOf(placed: string): { writer: string; token: string; id: string } | null {
  const [, head = '', writer = '', id = '', kind = ''] = PLACED.exec(placed) ?? [];
  return id === '' ? null : { writer, token: tokenOf(`${head}.${kind}`), id };
}

/** A name as one token of a subject: it has neither underscores nor anything else that would have to be escaped. */
function tokenOf(name: string): string {
  return name.replaceAll(/[/.]/g, '_');
}
