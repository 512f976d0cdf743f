import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asIdentity } from '../../shared/config/connection.ts';
import { connectNats } from '../../shared/messaging/connection.ts';
import { writeNatsConfig } from '../../shared/nats-server/embedded.ts';
import { adoptGlobalAccount } from '../../shared/nats-server/store.ts';
import type { Plan, UpOptions } from './prepare.ts';
import { setUpTopology } from './set-up-topology.ts';

/** Where the one seed of all was kept before everybody had one. */
const COMMON_SEED = 'nats.nk';

/** Makes the embedded server ready for its start, while it is down: users, configuration, and what an earlier version left. */
export async function prepareServer({ paths, port, agents }: Plan): Promise<void> {
  await adoptGlobalAccount(paths);
  await writeNatsConfig(
    paths,
    port,
    agents.map(({ id }) => id),
  );
  // No server takes it any more.
  await rm(join(paths.run, COMMON_SEED), { force: true });
}

/** Sets up streams, consumers and buckets, as the one who alone may. */
export async function provision(plan: Plan, { config }: UpOptions): Promise<void> {
  const connection = await asIdentity(plan.connection, 'provisioner');
  const nc = await connectNats({ ...connection, name: 'multi-agent up' });
  await setUpTopology(nc, plan, config, connection).finally(() => nc.close());
}
