import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';

/** JetStream's codes for a message that is not there (any more). */
const NO_MESSAGE: readonly number[] = [10037, 10043, 10057];

/** Deletes one message of a stream, without erasing its bytes. @returns whether it was still there */
export async function deleteStreamMessage(jsm: JetStreamManager, stream: string, seq: number): Promise<boolean> {
  try {
    return await jsm.streams.deleteMessage(stream, seq, false);
  } catch (error) {
    if (error instanceof JetStreamApiError && NO_MESSAGE.includes(error.code)) return false;
    throw error;
  }
}
