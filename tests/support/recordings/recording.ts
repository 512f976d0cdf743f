import { readFileSync } from 'node:fs';
import type { JobInput } from '../../../src/shared/domain/input.ts';
import type { Job, PendingEffect } from '../../../src/shared/domain/job.ts';

/** One decision of a real job: what happened, and what the job was then to do. */
export interface RecordedStep {
  readonly input: JobInput;
  readonly then: { readonly status: Job['status']; readonly phase: Job['phase']; readonly pending: readonly PendingEffect[] };
}

/** Everything that was decided about a real job, in order, and its last record. */
export interface Recording {
  readonly steps: readonly RecordedStep[];
  readonly job: Job;
}

export const RECORDINGS = new URL('../../fixtures/jobs/', import.meta.url);

/** A file of JSON lines: the steps, and the record. */
export function readRecording(file: URL): Recording {
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedStep | { readonly job: Job });
  const last = lines.at(-1);
  if (!last || !('job' in last)) throw new Error(`${file.pathname} has no record at its end`);
  return { job: last.job, steps: lines.slice(0, -1).filter((line) => 'input' in line) };
}

export function writtenRecording({ steps, job }: Recording): string {
  return [...steps, { job }].map((line) => `${JSON.stringify(line)}\n`).join('');
}

export function stepOf(input: JobInput, { status, phase, pending }: Job): RecordedStep {
  return { input, then: { status, phase, pending } };
}
