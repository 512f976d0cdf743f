import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { ConsumerPlan } from './topology.ts';

/** Messages looked at for one consumer in one go. */
const AT_MOST = 1_000;

/**
 * The messages of a work queue that its consumer has been given at least once, from the first on, a thousand at most. What is waiting to be
 * given out for the first time is not among them, so that a long queue costs nothing.
 */
export async function* deliveredMessages(jsm: JetStreamManager, { stream, name, filter }: ConsumerPlan): AsyncGenerator<StoredMsg> {
  const { delivered } = await jsm.consumers.info(stream, name);
  let seq = 1;
  for (let found = 0; found < AT_MOST; found++) {
    const message = await jsm.direct.getMessage(stream, { seq, next_by_subj: filter });
    if (!message || message.seq > delivered.stream_seq) return;
    yield message;
    seq = message.seq + 1;
  }
}
