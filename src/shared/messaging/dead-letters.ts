import type { JetStreamClient } from '@nats-io/jetstream';
import { versioned } from '../messages/envelope.ts';
import type { DeadLetter } from '../messages/agent.ts';
import { type DeadLetterRole, subjects } from '../messages/subjects.ts';
import type { Delivery } from './delivery.ts';
import { publishUntilAcknowledged } from './publish.ts';

/** A letter has to fit where its message did: base64 makes a third more of it, and a server may take no more than 1 MB. */
const KEPT_BYTES = 512 * 1024;
const KEPT_CHARACTERS = 16 * 1024;

/** Stores a message nobody could handle, with the reason. Once for each message: a repetition is the same letter for as long as that is kept. */
export async function publishDeadLetter(
  js: JetStreamClient,
  role: DeadLetterRole,
  delivery: Delivery,
  reason: { code: string; message: string },
  at: number,
): Promise<void> {
  const isCut = delivery.data.length > KEPT_BYTES;
  const cut = isCut ? ` (its payload was cut: ${String(delivery.data.length)} bytes)` : '';
  const letter: DeadLetter = versioned({
    at,
    stream: delivery.stream,
    subject: delivery.subject,
    streamSeq: delivery.streamSeq,
    deliveries: delivery.deliveries,
    reason: { code: reason.code, message: `${reason.message}${cut}`.slice(0, KEPT_CHARACTERS) },
    payload: Buffer.from(delivery.data.subarray(0, KEPT_BYTES)).toString('base64'),
    ...(isCut ? { cut: true } : {}),
  });
  await publishUntilAcknowledged(js, subjects.dead(role), letter, { messageId: `dead-${delivery.stream}.${String(delivery.streamSeq)}` });
}
