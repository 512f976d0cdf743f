import type { JobStatus } from '../../../src/shared/domain/job.ts';
import type { MergePolicy } from '../../../src/shared/domain/feature.ts';

/** What the runners of a job do, and how it has to end because of it. The programs in `programs/*.sh` know the same names. */
export interface Behaviour {
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** How a job may end. Where it is FAILED, `code` says of what. */
  readonly ends: readonly JobStatus[];
  readonly code?: string;
  readonly merge?: MergePolicy;
  /** What a person does about the job when it has been under way for a while. */
  readonly person?: 'stops';
  /** What the base branch must hold when it was merged; `$id` stands for the job. Default: `work/$id-1.txt`. */
  readonly file?: string;
}

export const BEHAVIOURS: readonly Behaviour[] = [
  { name: 'write', weight: 52, ends: ['COMPLETED'] },
  { name: 'two-rounds', weight: 6, ends: ['COMPLETED'], file: 'work/$id-2.txt' },
  // Every change is made at the same place: whoever comes second has a conflict.
  { name: 'append', weight: 5, ends: ['COMPLETED'], file: 'shared.txt' },
  // Merges without a conflict, and is wrong all the same: two take the same number, and the checks of the merge are red.
  { name: 'number', weight: 5, ends: ['COMPLETED'], file: 'numbers/$id' },
  { name: 'broken-first', weight: 4, ends: ['COMPLETED'] },
  { name: 'unavailable-first', weight: 4, ends: ['COMPLETED'] },
  { name: 'hang-first', weight: 2, ends: ['COMPLETED'] },
  { name: 'flood', weight: 1, ends: ['COMPLETED'] },
  { name: 'leave-behind', weight: 3, ends: ['COMPLETED'] },
  { name: 'ask', weight: 4, ends: ['COMPLETED'], merge: 'manual' },
  { name: 'comment', weight: 2, ends: ['COMPLETED'] },
  { name: 'stopped', weight: 4, ends: ['CANCELLED', 'COMPLETED'], person: 'stops' },
  { name: 'fail', weight: 3, ends: ['FAILED'], code: 'runner_failed' },
  { name: 'nothing', weight: 2, ends: ['FAILED'], code: 'no_change' },
  { name: 'broken', weight: 1, ends: ['FAILED'], code: 'checks_failed' },
  { name: 'never', weight: 1, ends: ['FAILED'], code: 'round_limit' },
  { name: 'mumble', weight: 1, ends: ['FAILED'], code: 'invalid_verdict' },
  { name: 'unavailable', weight: 0.5, ends: ['FAILED'], code: 'runner_unavailable' },
  { name: 'hang', weight: 0.5, ends: ['FAILED'], code: 'runner_stalled' },
];

/** Those that say nothing for long, or too much: they need patience, and a soak of well-behaved jobs goes without them. */
export const SLOW: readonly string[] = ['hang', 'hang-first', 'unavailable', 'flood'];

/** The file that shows on the base branch that the job was merged. */
export function fileOf({ file = 'work/$id-1.txt' }: Behaviour, jobId: string): string {
  return file.replace('$id', jobId);
}
