import type { NatsConnection } from '@nats-io/transport-node';
import { onReconnect } from './stream-tail.ts';

/** Has a connection to a cluster go to another of its nodes. The client may try the present one once more before it takes the next. */
export async function leaveNode(nc: NatsConnection): Promise<void> {
  const left = nc.getServer();
  const unwatch = onReconnect(nc, () => {
    unwatch();
    if (nc.getServer() === left) void nc.reconnect().catch(() => undefined);
  });
  await nc.reconnect();
}
