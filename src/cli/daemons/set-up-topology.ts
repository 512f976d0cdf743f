import type { NatsConnection } from '@nats-io/transport-node';
import type { Connection } from '../../shared/config/connection.ts';
import type { Config } from '../../shared/config/load.ts';
import { identityOfSeed } from '../../shared/config/seed-file.ts';
import { provisionTopology, requireTopology } from '../../shared/messaging/provision.ts';
import type { Plan } from './prepare.ts';

/**
 * Makes streams and buckets what this home's settings say. A home that only lends agents has no say in that, nor has one without the seed of
 * the provisioner where there is such a one: they look whether all is there.
 *
 * @param connection as whom `nc` is connected
 * @throws TerminalError `topology_differs`, InvalidInputError `replicas_not_possible`
 */
export async function setUpTopology(
  nc: NatsConnection,
  { provisions }: Pick<Plan, 'provisions'>,
  config: Config,
  { nkeyFile }: Pick<Connection, 'nkeyFile'>,
): Promise<void> {
  const identity = nkeyFile === undefined ? undefined : identityOfSeed(nkeyFile);
  const may = provisions && (identity === undefined || identity === 'provisioner');
  if (may) await provisionTopology(nc, { ackWaitMs: config.ackWaitMs, replicas: config.natsReplicas });
  else await requireTopology(nc, { replicas: config.natsReplicas }, identity);
}
