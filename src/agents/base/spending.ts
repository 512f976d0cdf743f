import { addUsage, NO_USAGE, type Usage } from '../../shared/domain/change.ts';
import type { UsageReported } from '../../shared/messages/job-input.ts';

/** What an attempt costs. */
export interface Spending {
  /** Counts a run of the runner, and has it told at once: the attempt may never come to its end. */
  add(usage: Usage): void;
  /** All runs so far. */
  total(): Usage;
  /** Resolves when all of it is told. */
  told(): Promise<void>;
}

/**
 * @param tell stores what the attempt has cost so far; called one at a time
 * @param onError told of what can't be stored: that a bill is short fails no task
 */
export function createSpending(
  tell: (spent: Pick<UsageReported, 'usage' | 'runs'>) => Promise<void>,
  onError: (error: unknown) => void,
): Spending {
  let usage = NO_USAGE;
  let runs = 0;
  let telling = Promise.resolve();
  return {
    add: (more) => {
      runs += 1;
      if (more.inputTokens === 0 && more.outputTokens === 0 && more.costUsd === 0) return;
      usage = addUsage(usage, more);
      const spent = { usage, runs };
      telling = telling.then(() => tell(spent)).catch(onError);
    },
    total: () => usage,
    told: () => telling,
  };
}
