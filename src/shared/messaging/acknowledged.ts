import type { JetStreamManager } from '@nats-io/jetstream';
import { deliveredMessages } from './delivered.ts';
import { deleteStreamMessage } from './stream-message.ts';
import { type ConsumerPlan, consumerPlans, STREAMS } from './topology.ts';

/**
 * Removes from TASKS what was acknowledged long ago. A server that is killed may come back with a message that its
 * consumer knows to be acknowledged (seen with kill -9 of 2.9.10): nobody is ever given it again, and it lies there for ever.
 *
 * Should it be a new message that has got a number of an old one (see `skipNumbersGivenOut`), its job misses it, and sends it out again. What
 * lies like that in INPUTS is not removed: nobody would miss it, and it is handled once more instead. One by one, and never
 * by a purge: that makes 2.9.10 forget what waits to be delivered again.
 *
 * @returns how many messages were removed
 */
export async function removeAcknowledged(jsm: JetStreamManager): Promise<number> {
  let removed = 0;
  for (const plan of consumerPlans.filter(({ stream }) => stream === STREAMS.tasks)) removed += await removeFor(jsm, plan);
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
