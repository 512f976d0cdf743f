import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { ConsumerPlan } from './topology.ts';

/** Messages looked at in one go. */
const AT_MOST = 1_000;

/**
 * The messages of a work queue that its consumer has been given at least once, those stored first at first, or the part of them up to the
 * sequence `upTo`. What is waiting to be given out for the first time is not among them, so that a long queue costs nothing.
 *
 * They are looked for twice: by the consumer's subjects, and then, a thousand messages far, among all that the stream has. A server that was
 * killed may come back with a message that its index of subjects does not know (seen with kill -9 of 2.9.10); asked for all subjects, it reads
 * without that index.
 */
export async function* deliveredMessages(jsm: JetStreamManager, { stream, filter }: ConsumerPlan, upTo: number): AsyncGenerator<StoredMsg> {
  const seen = new Set<number>();
  for (const subjects of [filter, '>'])
    for await (const message of messagesUpTo(jsm, stream, subjects, upTo)) {
      if (seen.has(message.seq) || !isMatch(message.subject, filter)) continue;
      seen.add(message.seq);
      yield message;
    }
}

async function* messagesUpTo(jsm: JetStreamManager, stream: string, filter: string, last: number): AsyncGenerator<StoredMsg> {
  let seq = 1;
  for (let found = 0; found < AT_MOST; found++) {
    const message = await jsm.direct.getMessage(stream, { seq, next_by_subj: filter });
    if (!message || message.seq > last) return;
    yield message;
    seq = message.seq + 1;
  }
}

/** For the filters that consumers of ours have: one subject, or all that start with the same tokens. */
function isMatch(subject: string, filter: string): boolean {
  return filter.endsWith('.>') ? subject.startsWith(filter.slice(0, -1)) : subject === filter;
}
