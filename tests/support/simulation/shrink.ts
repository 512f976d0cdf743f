import type { Chosen } from './luck.ts';
import type { BrokenRule } from './oracle.ts';
import { runAgain, type RunOptions } from './simulate.ts';

export interface Shrunk {
  readonly chosen: Chosen;
  readonly broken: BrokenRule;
}

/** Runs that a failing seed may cost to be made short. */
const RUNS = 1_500;

/** Takes misfortunes back, in ever smaller portions, as long as the same rule is still broken (delta debugging). */
export async function shrink(chosen: Chosen, broken: BrokenRule, options: RunOptions = {}): Promise<Shrunk> {
  let best: Shrunk = { chosen, broken };
  let runs = 0;
  const attempt = async (entries: readonly (readonly [string, number])[]): Promise<boolean> => {
    runs += 1;
    const again = await runAgain(new Map(entries), options).catch(() => undefined);
    if (again?.broken?.rule !== broken.rule) return false;
    // What was given and not asked for is gone too.
    best = { chosen: again.chosen, broken: again.broken };
    return true;
  };
  for (let portion = Math.ceil(chosen.size / 2); portion >= 1 && runs < RUNS;) {
    let taken = false;
    for (let at = 0; at < best.chosen.size && runs < RUNS;) {
      const entries = [...best.chosen];
      const without = [...entries.slice(0, at), ...entries.slice(at + portion)];
      if (await attempt(without)) taken = true;
      else at += portion;
    }
    if (!taken || portion > 1) portion = portion === 1 ? 0 : Math.ceil(portion / 2);
  }
  return best;
}
