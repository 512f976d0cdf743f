import { readFile } from 'node:fs/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { InterruptedError, UnreachableError } from '../../shared/errors/errors.ts';
import type { ProcessSpec } from '../../shared/pm2/app.ts';
import { observeAgents, type Observation } from './heartbeats.ts';

const READY_PATIENCE_MS = 45_000;
const ERROR_LINES = 5;

/**
 * Waits until every agent beats and is past starting. "online" in PM2 would prove nothing.
 *
 * @throws UnreachableError `daemons_not_ready` after 45 s, naming the silent ones and the end of what they wrote to stderr.
 * @throws InterruptedError when `signal` is aborted; the daemons go on.
 */
export async function waitUntilReady(
  nc: NatsConnection,
  { agents }: { readonly agents: readonly ProcessSpec[] },
  signal?: AbortSignal,
): Promise<void> {
  const ids = new Set(agents.map(({ id }) => id));
  const ready = (seen: Observation): boolean => seen.alive && seen.heartbeat?.state !== 'starting';
  const observations = await observeAgents(nc, {
    expected: [...ids],
    patienceMs: READY_PATIENCE_MS,
    until: (seen) => seen.filter(({ agentId }) => ids.has(agentId)).every(ready),
    ...(signal ? { signal } : {}),
  });
  const silent = new Set(observations.filter((seen) => ids.has(seen.agentId) && !ready(seen)).map(({ agentId }) => agentId));
  if (silent.size === 0) return;
  if (signal?.aborted === true) throw new InterruptedError('interrupted', 'interrupted; the daemons go on starting');
  const faults = await Promise.all(agents.filter(({ id }) => silent.has(id)).map(faultOf));
  throw new UnreachableError('daemons_not_ready', `not ready after ${String(READY_PATIENCE_MS / 1000)} s:\n${faults.join('\n')}`, {
    details: { agents: [...silent] },
  });
}

async function faultOf({ id, errorFile }: ProcessSpec): Promise<string> {
  const lines = (await readFile(errorFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-ERROR_LINES).join('\n  ');
  return `${id} (${errorFile})${lines === '' ? '' : `:\n  ${lines}`}`;
}
