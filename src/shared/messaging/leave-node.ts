import type { NatsConnection } from '@nats-io/transport-node';
import { onReconnect } from './stream-tail.ts';

/** One more than the nodes of most clusters: whoever comes back to the same one so often finds no other. */
const TRIES = 6;

/** Has a connection to a cluster go to another of its nodes. The client may try the present one again before it takes the next. */
export async function leaveNode(nc: NatsConnection): Promise<void> {
  const left = nc.getServer();
  let tries = 1;
  const unwatch = onReconnect(nc, () => {
    if (nc.getServer() !== left || tries >= TRIES) {
      unwatch();
      return;
    }
    tries += 1;
    void nc.reconnect().catch(() => undefined);
  });
  await nc.reconnect();
}
