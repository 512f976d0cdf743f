import { JetStreamApiError, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { InvalidInputError } from '../errors/errors.ts';

/** Copies on a cluster where nobody said how many: one node may be lost. */
const ON_A_CLUSTER = 3;
/** "no suitable peers for placement", and what newer servers say: "insufficient resources" */
const TOO_FEW_NODES: readonly number[] = [10005, 10023];

/**
 * How many copies a stream or bucket is to have: as many as were asked for; else as many as it has; else three on a cluster, one on a
 * server by itself. So nobody's `up` takes copies away that somebody else asked for.
 */
export function replicasFor(nc: NatsConnection, asked: number | undefined, found: number | undefined): number {
  return asked ?? found ?? (nc.info?.cluster === undefined ? 1 : ON_A_CLUSTER);
}

/**
 * Looked at before anything is asked for: 2.9.10 by itself takes an update to three copies, and keeps one.
 *
 * @throws InvalidInputError `replicas_not_possible` where the server can't keep that many copies; anything else as it was
 */
export async function withReplicas<T>(nc: NatsConnection, replicas: number, make: () => Promise<T>): Promise<T> {
  if (replicas > 1 && nc.info?.cluster === undefined)
    throw notPossible(replicas, `the server at ${nc.getServer()} is no cluster; set NATS_REPLICAS=1, or use a cluster`);
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || !TOO_FEW_NODES.includes(error.code)) throw error;
    const fewer = replicas > ON_A_CLUSTER ? 'NATS_REPLICAS=3 or 1' : 'NATS_REPLICAS=1';
    const why = `the cluster at ${nc.getServer()} has fewer than ${String(replicas)} nodes with JetStream up (${error.message})`;
    throw notPossible(replicas, `${why}; start the missing ones, or set ${fewer}`, error);
  }
}

function notPossible(replicas: number, why: string, cause?: JetStreamApiError): InvalidInputError {
  return new InvalidInputError('replicas_not_possible', [`NATS can't keep ${String(replicas)} copies (NATS_REPLICAS): ${why}`], { cause });
}

/** How many copies of a stream have all of it; that of the node which answered among them. */
export function copiesUpToDate({ cluster }: StreamInfo): number {
  const others = (cluster?.replicas ?? []).filter(({ name, current, offline }) => name !== cluster?.leader && current && !offline);
  return others.length + 1;
}
