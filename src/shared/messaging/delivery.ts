import type { JetStreamManager, JsMsg, StoredMsg } from '@nats-io/jetstream';
import { type Msg, type NatsConnection } from '@nats-io/transport-node';
import { deleteStreamMessage } from './stream-message.ts';

/** A message that waits for our answer. */
export interface Delivery {
  readonly stream: string;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly traceparent: string | undefined;
  /** Its sequence in the stream: a redelivery of the same message has the same one. */
  readonly streamSeq: number;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
  /** Done; resolves when the server knows. @throws when the server can't be asked */
  ack(): Promise<void>;
  /** Not now: comes again after `delayMs` (default at once). */
  nak(delayMs?: number): void;
  /** Never again. */
  term(): void | Promise<void>;
  /** Still at it: the lease begins anew. */
  working(): void;
}

const ACK_TIMEOUT_MS = 5_000;

export function deliveryOf(message: JsMsg): Delivery {
  return {
    stream: message.info.stream,
    subject: message.subject,
    data: message.data,
    traceparent: message.headers?.get('traceparent') || undefined,
    streamSeq: message.seq,
    deliveries: message.info.deliveryCount,
    ack: async () => {
      await message.ackAck({ timeout: ACK_TIMEOUT_MS });
    },
    nak: (delayMs) => {
      message.nak(delayMs);
    },
    term: () => {
      // Before 2.10 a reason makes the server deliver it again.
      message.term();
    },
    working: () => {
      message.working();
    },
  };
}

/**
 * A message answered to a pull request of our own. Its reply subject carries what is known about the delivery:
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`, from 2.10 on with domain and
 * account before the stream's name where a domain is set (ADR-15 of nats-architecture-and-design).
 */
export function deliveryOfPull(nc: NatsConnection, message: Msg): Delivery {
  const reply = message.reply ?? '';
  const tokens = reply.split('.');
  const [stream = '', , deliveries = '1', streamSeq = '0'] = tokens.length > 9 ? tokens.slice(4) : tokens.slice(2);
  const answer = (text: string): void => {
    nc.publish(reply, text);
  };
  return {
    stream,
    subject: message.subject,
    data: message.data,
    traceparent: message.headers?.get('traceparent') || undefined,
    streamSeq: Number(streamSeq),
    deliveries: Number(deliveries),
    ack: async () => {
      await nc.request(reply, '+ACK', { timeout: ACK_TIMEOUT_MS });
    },
    nak: (delayMs) => {
      answer(delayMs === undefined ? '-NAK' : `-NAK ${JSON.stringify({ delay: delayMs * 1_000_000 })}`);
    },
    term: () => {
      answer('+TERM');
    },
    working: () => {
      answer('+WPI');
    },
  };
}

/** A message that is read from its work queue, because nobody is given it any more: what is done with it is removed, and what is not stays. */
export function deliveryOfStored(jsm: JetStreamManager, stream: string, message: StoredMsg): Delivery {
  const remove = async (): Promise<void> => {
    await deleteStreamMessage(jsm, stream, message.seq);
  };
  return {
    stream,
    subject: message.subject,
    data: message.data,
    traceparent: message.header.get('traceparent') || undefined,
    streamSeq: message.seq,
    deliveries: 1,
    ack: remove,
    nak: () => undefined,
    term: remove,
    working: () => undefined,
  };
}
