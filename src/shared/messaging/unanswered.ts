import { JetStreamApiError } from '@nats-io/jetstream';
import { ConnectionError, NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';

/** What the client calls an answer of "no responders" to a JetStream request: a server that starts, or a cluster without a leader. */
const NO_JETSTREAM = 'JetStreamNotEnabled';
/** A node that has no say without the others, and can't reach them: "JetStream system temporarily unavailable", "incomplete results". */
const NO_CLUSTER: readonly number[] = [10008, 10004];

/**
 * Whether the server did not answer: what was asked may have happened or not. The caller asks again with the same message
 * id, or reads before it decides.
 */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TimeoutError || error instanceof ConnectionError || error instanceof NoRespondersError) return true;
  if (error instanceof JetStreamApiError) return NO_CLUSTER.includes(error.code);
  if (error.name === NO_JETSTREAM || error.name === 'DisconnectedError') return true;
  // A RequestError wraps the reason (no responders, a timeout); without one it is the connection that went.
  return error instanceof RequestError && (error.cause === undefined || isUnanswered(error.cause));
}
