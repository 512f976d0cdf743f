import type { RunnerTask } from '../runner.ts';
import type { RecordedEntry } from './recording.ts';

/** What of a task decides which entry is played. */
export type AskedFor = Pick<RunnerTask, 'role' | 'round' | 'tryNumber' | 'context'>;

/** The entry of a recording that answers the task (the rule is in the docstring of `RecordedEntry`); undefined: none. */
export function chooseEntry(entries: readonly RecordedEntry[], task: AskedFor): RecordedEntry | undefined {
  const isConflict = (task.context.conflicts?.length ?? 0) > 0;
  const fitting = entries
    .filter((entry) => entry.role === task.role && nearness(entry.round, task.round) >= 0 && nearness(entry.try, task.tryNumber) >= 0)
    .filter((entry) => entry.match?.title === undefined || task.context.feature.title.includes(entry.match.title))
    .filter((entry) => entry.match?.conflicts === undefined || isConflict);
  const forConflicts = preferred(fitting, (entry) => entry.match?.conflicts === true);
  const forTitle = preferred(forConflicts, (entry) => entry.match?.title !== undefined);
  return forTitle.reduce<RecordedEntry | undefined>(
    (best, entry) => (best === undefined || isNearer(entry, best, task) ? entry : best),
    undefined,
  );
}

function isNearer(a: RecordedEntry, b: RecordedEntry, task: AskedFor): boolean {
  const byRound = nearness(a.round, task.round) - nearness(b.round, task.round);
  return byRound > 0 || (byRound === 0 && nearness(a.try, task.tryNumber) > nearness(b.try, task.tryNumber));
}

const EXACT = 2_000_000;
const ANY = 1_000_000;

/** The number asked for goes before "any", and that before an earlier number; a later one (negative) is never played. */
function nearness(named: number | undefined, asked: number): number {
  if (named === undefined) return ANY;
  if (named === asked) return EXACT;
  return named < asked ? named : -1;
}

/** Those for which it is true, or all where it is true for none. */
function preferred(entries: readonly RecordedEntry[], isPreferred: (entry: RecordedEntry) => boolean): readonly RecordedEntry[] {
  const found = entries.filter((entry) => isPreferred(entry));
  return found.length > 0 ? found : entries;
}
