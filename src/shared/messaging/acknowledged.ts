import type { JetStreamManager } from '@nats-io/jetstream';
import { consumerPlans, streamPlans } from './topology.ts';

/**
 * Removes from the work queues what was acknowledged long ago. A server that is killed may come back with a message that its
 * consumer knows to be acknowledged (seen with kill -9 of 2.9.10): nobody is ever given it again, and it lies there for ever.
 *
 * Everything up to a consumer's acknowledgement floor has been acknowledged, so nothing is lost by this.
 *
 * @returns how many messages were removed
 */
export async function purgeAcknowledged(jsm: JetStreamManager): Promise<number> {
  const queues = streamPlans.filter(({ retention }) => retention === 'workqueue').map(({ name }) => name);
  let purged = 0;
  for (const { stream, name, filter } of consumerPlans.filter((plan) => queues.includes(plan.stream))) {
    const { ack_floor } = await jsm.consumers.info(stream, name);
    if (ack_floor.stream_seq === 0) continue;
    const answer = await jsm.streams.purge(stream, { filter, seq: ack_floor.stream_seq + 1 });
    purged += answer.purged;
  }
  return purged;
}
