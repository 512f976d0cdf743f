import type { Sabotage } from './sabotage.ts';
import { shrink } from './shrink.ts';
import { runAgain, runSeed } from './simulate.ts';

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  readonly sabotage?: Sabotage;
  /** Whether a failing seed is made as short as it gets. Default true. */
  readonly shrinks?: boolean;
  readonly onSeed?: (seed: number) => void;
}

export interface FoundFault {
  readonly seed: number;
  readonly rule: string;
  /** For people: how to see it again, what it takes, and what happens then. */
  readonly report: string;
}

/** Gives the loop of Node a chance after so many seeds: virtual time alone never does. */
const BREATHE_EVERY = 20;

/** Runs seed after seed, up to the first that breaks a rule; that one is made as short as it gets. */
export async function runSeeds({ first, count, sabotage, shrinks = true, onSeed }: SeedsOptions): Promise<FoundFault | undefined> {
  // Thousands of errors are part of the world; nobody reads their stacks.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (let seed = first; seed < first + count; seed++) {
      const { broken, chosen } = await runSeed(seed, { sabotage });
      if (broken && !shrinks) return { seed, rule: broken.rule, report: broken.message };
      if (broken) return await explain(seed, chosen, broken, sabotage);
      onSeed?.(seed);
      if (seed % BREATHE_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function explain(
  seed: number,
  chosen: Parameters<typeof shrink>[0],
  broken: Parameters<typeof shrink>[1],
  sabotage: Sabotage | undefined,
): Promise<FoundFault> {
  const short = await shrink(chosen, broken, { sabotage });
  const lines: string[] = [];
  await runAgain(short.chosen, { sabotage, tell: (line) => lines.push(line) });
  const report = [
    `seed ${seed} (npm run simulate -- --seed ${seed} --seeds 1): ${short.broken.message}`,
    `What it takes, ${short.chosen.size} of ${chosen.size}:`,
    ...[...short.chosen].map(([where, what]) => `  ${where} = ${what}`),
    'What happens then (milliseconds of the world):',
    ...lines,
  ];
  return { seed, rule: broken.rule, report: report.join('\n') };
}
