import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, JetStreamApiError, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { UnreachableError } from '../errors/errors.ts';
import { DeadLetter } from '../messages/agent.ts';
import { STREAMS } from './topology.ts';
import { isUnanswered } from './unanswered.ts';

export interface StoredDeadLetter {
  /** Its sequence in DEAD: what `dead retry` and `dead drop` take. */
  readonly seq: number;
  readonly letter: DeadLetter;
}

/** The messages nobody could handle. */
export interface DeadLetterBox {
  /** Newest first. What is no letter is passed over. */
  list(limit: number): Promise<StoredDeadLetter[]>;
  get(seq: number): Promise<StoredDeadLetter | null>;
  /** Sends the message where it was meant to go, then drops the letter. Once, however often within the stream's duplicate window. */
  retry(stored: StoredDeadLetter): Promise<void>;
  /** @returns whether it was still there */
  drop(seq: number): Promise<boolean>;
}

const CHUNK = 64;
const TRIES = 5;
const TRY_AGAIN_MS = 500;
const PUBLISH_TIMEOUT_MS = 3_000;

export async function openDeadLetterBox(nc: NatsConnection): Promise<DeadLetterBox> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const get = async (seq: number): Promise<StoredDeadLetter | null> => storedLetter(await jsm.direct.getMessage(STREAMS.dead, { seq }));
  const drop = async (seq: number): Promise<boolean> => {
    try {
      return await jsm.streams.deleteMessage(STREAMS.dead, seq, false);
    } catch (error) {
      // "No such message" has several numbers, by the server's version.
      if (error instanceof JetStreamApiError && error.status !== 503) return false;
      throw error;
    }
  };
  return {
    get,
    drop,
    list: async (limit) => {
      const { state } = await jsm.streams.info(STREAMS.dead);
      const letters: StoredDeadLetter[] = [];
      for (let top = state.last_seq; top >= state.first_seq && top > 0 && letters.length < limit; top -= CHUNK) {
        const size = Math.min(CHUNK, top - state.first_seq + 1);
        const chunk = await Promise.all(Array.from({ length: size }, (_, i) => get(top - i)));
        letters.push(...chunk.filter((letter) => letter !== null));
      }
      return letters.slice(0, limit);
    },
    retry: async ({ seq, letter }) => {
      await publishAgain(nc, letter, `retry-of-letter-${String(seq)}`);
      await drop(seq);
    },
  };
}

/** The payload goes out byte for byte as it came: it may be no JSON at all. */
async function publishAgain(nc: NatsConnection, { subject, payload }: DeadLetter, messageId: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await jetstream(nc).publish(subject, Buffer.from(payload, 'base64'), { msgID: messageId, timeout: PUBLISH_TIMEOUT_MS });
      return;
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      if (tries === TRIES) throw new UnreachableError('nats_unreachable', 'NATS does not answer; the letter is kept.', { cause: error });
    }
    await delay(TRY_AGAIN_MS);
  }
}

function storedLetter(message: StoredMsg | null): StoredDeadLetter | null {
  if (!message) return null;
  try {
    const parsed = DeadLetter.safeParse(message.json());
    return parsed.success ? { seq: message.seq, letter: parsed.data } : null;
  } catch {
    return null;
  }
}
