import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { sabotage } from '../crash/sabotage.ts';

/** Set for the daemons of the control: they are wired the way one would who has not thought of crashes. */
export const NAIVE_VARIABLE = 'CHAOS_NAIVE';

/** One job in so many has its consequences decided and not written down. With all of them, none would live to be doubled. */
const FORGOTTEN_ONE_IN = 4;

/** The naive wiring: it does not look before it acts, and so does things twice; of some jobs it does not write down what is to be done, and so loses them. */
export function naive(context: RepoManagerContext, isWanted = process.env[NAIVE_VARIABLE] === '1'): RepoManagerContext {
  if (!isWanted) return context;
  const { store } = context;
  const forgetful = sabotage(context, 'effects-beside').store;
  return {
    ...sabotage(sabotage(context, 'review-again'), 'no-look-up'),
    store: { ...store, save: (job, previous) => (isForgotten(job.id) ? forgetful : store).save(job, previous) },
  };
}

function isForgotten(jobId: string): boolean {
  return (jobId.codePointAt(jobId.length - 1) ?? 0) % FORGOTTEN_ONE_IN === 0;
}
