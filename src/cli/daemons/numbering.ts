import { type Connection } from '../../shared/config/connection.ts';
import { homeId } from '../../shared/config/home-id.ts';
import type { HomePaths } from '../../shared/config/home.ts';
import { UnreachableError } from '../../shared/errors/errors.ts';
import { connectNats } from '../../shared/messaging/connection.ts';
import { lastHeartbeats } from './heartbeats.ts';

/** How many agents of each role there are to be in this home. */
export interface AgentCounts {
  readonly repoManagers: number;
  readonly coders: number;
  readonly reviewers: number;
}

/** How long a server is looked for that may not run yet (milliseconds). */
const LOOK_FOR_MS = 2_000;

/**
 * The ids of a home's agents: numbers it has already, then the lowest ones free. No id is used by two homes: one would show
 * in place of the other.
 *
 * @param own ids this home has had so far
 * @param taken ids of other homes' agents
 */
export function agentIds(counts: AgentCounts, own: readonly string[] = [], taken: ReadonlySet<string> = new Set()): string[] {
  const { repoManagers, coders, reviewers } = counts;
  const roles = { 'repo-manager': repoManagers, coder: coders, reviewer: reviewers };
  return Object.entries(roles).flatMap(([role, count]) => {
    const isFree = (n: number): boolean => !taken.has(`${role}-${String(n)}`);
    const known = own.flatMap((id) => (id.startsWith(`${role}-`) ? [Number(id.slice(role.length + 1))] : [])).filter(isFree);
    const numbers = new Set(known.toSorted((a, b) => a - b).slice(0, count));
    for (let n = 1; numbers.size < count; n++) if (isFree(n)) numbers.add(n);
    return [...numbers].toSorted((a, b) => a - b).map((n) => `${role}-${String(n)}`);
  });
}

/** The ids of agents that other homes run on this server; none where it does not run yet, or was never set up. */
export async function idsOfOtherHomes(connection: Connection, paths: HomePaths): Promise<Set<string>> {
  const home = await homeId(paths);
  try {
    const nc = await connectNats({ ...connection, name: 'multi-agent up', patience: LOOK_FOR_MS });
    const beats = await lastHeartbeats(nc).finally(() => nc.close());
    const others = beats.filter(({ incarnation }) => incarnation.startsWith('home-') && !incarnation.startsWith(`${home}/`));
    return new Set(others.map(({ agentId }) => agentId));
  } catch (error) {
    // Whoever needs the server in a moment says so better; that of a new home has no seeds yet.
    if (error instanceof UnreachableError) return new Set();
    throw error;
  }
}
