import type { NatsConnection } from '@nats-io/transport-node';
import type { Config } from '../../shared/config/load.ts';
import { identityOfSeed } from '../../shared/config/seed-file.ts';
import { provisionTopology, requireTopology } from '../../shared/messaging/provision.ts';
import type { Plan } from './prepare.ts';

/**
 * Makes streams and buckets what this home's settings say. A home that only lends agents has no say in that: it looks whether they are
 * there.
 *
 * @throws TerminalError `topology_differs`, InvalidInputError `replicas_not_possible`
 */
export async function setUpTopology(nc: NatsConnection, { provisions, connection: { nkeyFile } }: Plan, config: Config): Promise<void> {
  if (provisions) await provisionTopology(nc, { ackWaitMs: config.ackWaitMs, replicas: config.natsReplicas });
  else await requireTopology(nc, { replicas: config.natsReplicas }, nkeyFile === undefined ? undefined : identityOfSeed(nkeyFile));
}
