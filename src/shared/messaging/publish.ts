import { setTimeout as delay } from 'node:timers/promises';
import { type JetStreamClient, JetStreamApiError, type PubAck } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { isUnanswered } from './unanswered.ts';

export interface PublishOptions {
  /** The server forgets a message with the same id as one within the stream's duplicate window. */
  readonly messageId?: string;
  /** Refuse when the subject's last message is another than this (0: when there is any). */
  readonly lastSubjectSequence?: number;
  readonly traceparent?: string | undefined;
  readonly signal?: AbortSignal;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
const PUBLISH_TIMEOUT_MS = 5_000;

/** JetStream refused for good: what was expected of the stream does not hold. */
export const WRONG_LAST_SEQUENCE = 10071;

/**
 * Publishes until the server says that the message is stored. What is published while disconnected is lost, and a timeout
 * leaves the outcome open: so it is sent again with the same message id until there is an answer.
 *
 * @throws JetStreamApiError when the server answers that it refuses (wrong last sequence, no space, no such stream), and what
 *   the client refuses (a message larger than the server takes, a closed connection)
 * @throws the signal's reason when that aborts first
 */
export async function publishUntilAcknowledged(
  js: JetStreamClient,
  subject: string,
  message: object,
  options: PublishOptions = {},
): Promise<PubAck> {
  const payload = JSON.stringify(message);
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
    options.signal?.throwIfAborted();
    try {
      return await js.publish(subject, payload, publishOptions(options));
    } catch (error) {
      if (!mayPass(error)) throw error;
    }
    await delay(retryMs, undefined, options.signal ? { signal: options.signal } : {});
  }
}

function publishOptions({ messageId, lastSubjectSequence, traceparent }: PublishOptions) {
  const carried = headers();
  if (traceparent !== undefined) carried.set('traceparent', traceparent);
  return {
    timeout: PUBLISH_TIMEOUT_MS,
    headers: carried,
    ...(messageId === undefined ? {} : { msgID: messageId }),
    ...(lastSubjectSequence === undefined ? {} : { expect: { lastSubjectSequence } }),
  };
}

/** No answer, no leader, a store that is starting: all of that passes. Anything else is the server's (or the client's) considered word. */
function mayPass(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status >= 500 && error.code !== WRONG_LAST_SEQUENCE;
  return isUnanswered(error);
}
