import type { StoredEvent } from './event-history.ts';
import type { HarmDone } from './harm.ts';

/** Times of recovery (milliseconds), seen from outside in the facts that the server dated. */
export interface Times {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Recovery {
  /** From the kill of an agent with a task in hand to the next start, or end, of a task of that job: queueing included. */
  readonly agentKill: Times;
  /** From the kill of the server to the next fact about any job; how long the server was kept away is taken off. */
  readonly natsKill: Times;
}

const PROGRESS: readonly string[] = ['TaskStarted', 'ImplementationFinished', 'ReviewFinished', 'FeatureResult'];

export function recoveryOf(events: readonly StoredEvent[], done: Pick<HarmDone, 'agentKills' | 'natsKills'>): Recovery {
  const progress = events.filter(({ type }) => PROGRESS.includes(type)).toSorted((a, b) => a.at - b.at);
  return {
    agentKill: timesOf(done.agentKills.flatMap(({ agentId, at }) => afterAgentKill(progress, agentId, at))),
    natsKill: timesOf(done.natsKills.flatMap(({ at, backAt }) => afterServerKill(progress, at, backAt))),
  };
}

/** What it had in hand: the last task it started, unless that has ended already. */
function afterAgentKill(progress: readonly StoredEvent[], agentId: string, at: number): number[] {
  const started = progress.findLast((event) => event.agentId === agentId && event.at <= at);
  if (!started) return [];
  const later = progress.filter((event) => event.job === started.job && event.at > started.at);
  const ended = later.find((event) => event.at <= at);
  const next = later.find((event) => event.at > at);
  return ended || !next ? [] : [next.at - at];
}

function afterServerKill(progress: readonly StoredEvent[], at: number, backAt: number): number[] {
  const next = progress.find((event) => event.at > at);
  return next ? [Math.max(0, next.at - backAt)] : [];
}

export function timesOf(samples: readonly number[]): Times {
  const sorted = samples.map(Math.round).toSorted((a, b) => a - b);
  const at = (percent: number): number => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
  return { count: sorted.length, p50Ms: at(50), p99Ms: at(99) };
}
