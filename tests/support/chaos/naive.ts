import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { sabotage } from '../crash/sabotage.ts';

/** Set for the daemons of the control: they are wired the way one would who has not thought of crashes. */
export const NAIVE_VARIABLE = 'CHAOS_NAIVE';

/**
 * The naive wiring. One of the two repo-managers does not write down what it decided to do, so that it loses jobs; the other
 * does not look before it acts, so that it does things twice. In one process the first fault would hide the second.
 */
export function naive(context: RepoManagerContext, agentId: string, isWanted = process.env[NAIVE_VARIABLE] === '1'): RepoManagerContext {
  if (!isWanted) return context;
  if (agentId === 'repo-manager-1') return sabotage(context, 'effects-beside');
  return sabotage(sabotage(context, 'review-again'), 'no-look-up');
}
