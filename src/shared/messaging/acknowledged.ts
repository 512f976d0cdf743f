import type { JetStreamManager } from '@nats-io/jetstream';
import { deliveredMessages } from './delivered.ts';
import { deleteStreamMessage } from './stream-message.ts';
import { type ConsumerPlan, consumerPlans, streamPlans } from './topology.ts';

/**
 * Removes from the work queues what was acknowledged long ago. A server that is killed may come back with a message that its
 * consumer knows to be acknowledged (seen with kill -9 of 2.9.10): nobody is ever given it again, and it lies there for ever.
 *
 * Everything up to a consumer's acknowledgement floor has been acknowledged, so nothing is lost by this. One by one, and never
 * by a purge: that makes 2.9.10 forget what waits to be delivered again.
 *
 * @returns how many messages were removed
 */
export async function removeAcknowledged(jsm: JetStreamManager): Promise<number> {
  const queues = streamPlans.filter(({ retention }) => retention === 'workqueue').map(({ name }) => name);
  let removed = 0;
  for (const plan of consumerPlans.filter(({ stream }) => queues.includes(stream))) removed += await removeFor(jsm, plan);
  return removed;
}

async function removeFor(jsm: JetStreamManager, plan: ConsumerPlan): Promise<number> {
  const { ack_floor } = await jsm.consumers.info(plan.stream, plan.name);
  let removed = 0;
  for await (const { seq } of deliveredMessages(jsm, plan, ack_floor.stream_seq)) {
    await deleteStreamMessage(jsm, plan.stream, seq);
    removed += 1;
  }
  return removed;
}
