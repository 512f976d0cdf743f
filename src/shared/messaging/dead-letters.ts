import type { JetStreamClient } from '@nats-io/jetstream';
import { versioned } from '../messages/envelope.ts';
import type { DeadLetter } from '../messages/agent.ts';
import { type DeadLetterRole, subjects } from '../messages/subjects.ts';
import type { Delivery } from './delivery.ts';
import { publishUntilAcknowledged } from './publish.ts';

/** Stores a message nobody could handle, with the reason. Once for each message: a repetition within the duplicate window is the same letter. */
export async function publishDeadLetter(
  js: JetStreamClient,
  role: DeadLetterRole,
  delivery: Delivery,
  reason: { code: string; message: string },
  at: number,
): Promise<void> {
  const letter: DeadLetter = versioned({
    at,
    stream: delivery.stream,
    subject: delivery.subject,
    streamSeq: delivery.streamSeq,
    deliveries: delivery.deliveries,
    reason: { code: reason.code, message: reason.message },
    payload: Buffer.from(delivery.data).toString('base64'),
  });
  await publishUntilAcknowledged(js, subjects.dead(role), letter, { messageId: `dead-${delivery.stream}.${String(delivery.streamSeq)}` });
}
