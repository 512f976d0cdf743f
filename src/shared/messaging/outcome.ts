import { InterruptedError, messageOf, MultiAgentError, RetryableError, TerminalError } from '../errors/errors.ts';
import type { Clock } from '../lifecycle/clock.ts';
import type { Delivery } from './delivery.ts';
import { isUnanswered } from './unanswered.ts';

/** How a handler ended, as far as its message is concerned. */
export type Outcome =
  | { readonly type: 'done' }
  | { readonly type: 'later'; readonly delayMs: number; readonly error: unknown }
  | { readonly type: 'dead'; readonly code: string; readonly message: string; readonly error: unknown }
  /** We are stopping, or it is not ours: somebody else takes it at once. */
  | { readonly type: 'handed_back' };

export interface OutcomeRules {
  /** Deliveries after which a message that fails every time is given up; retryable failures count too where `retryForever` is false. */
  readonly maxDeliveries: number;
  /** Whether a RetryableError may come back without end (a forge that is down for an hour loses nothing). */
  readonly retryForever: boolean;
}

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;

/**
 * The one place that says what a handler's error means for its message.
 *
 * @param failures how many of the deliveries count towards giving up, this one included; default all of them
 */
export function outcomeOf(error: unknown, deliveries: number, rules: OutcomeRules, failures = deliveries): Outcome {
  if (error instanceof InterruptedError) return { type: 'handed_back' };
  if (error instanceof TerminalError) return { type: 'dead', code: error.code, message: error.message, error };

  if (failures >= rules.maxDeliveries && !(rules.retryForever && mayPass(error))) {
    const code = error instanceof MultiAgentError ? error.code : 'unexpected';
    return { type: 'dead', code, message: `Gave up after ${String(deliveries)} deliveries: ${messageOf(error)}`, error };
  }
  return { type: 'later', delayMs: (error instanceof RetryableError ? error.retryAfterMs : undefined) ?? backoff(deliveries), error };
}

/** What is known to pass by itself: a server that did not answer says nothing about the message. */
export function mayPass(error: unknown): boolean {
  return error instanceof RetryableError || isUnanswered(error);
}

export interface Settling {
  /** Tells the job and stores the dead letter. The message is given up only after that. */
  readonly bury: (delivery: Delivery, reason: { code: string; message: string }) => Promise<void>;
  readonly onOutcome?: (delivery: Delivery, outcome: Outcome) => void;
}

/** Answers a delivery as its handler's outcome demands: return → ack, retryable → nak with delay, terminal → dead letter, then term. */
export async function settle(delivery: Delivery, outcome: Outcome, { bury, onOutcome }: Settling): Promise<void> {
  onOutcome?.(delivery, outcome);
  switch (outcome.type) {
    case 'done':
      await delivery.ack();
      return;
    case 'later':
      delivery.nak(outcome.delayMs);
      return;
    case 'handed_back':
      delivery.nak();
      return;
    case 'dead':
      await bury(delivery, outcome);
      await delivery.term();
      return;
  }
}

/** Keeps the lease of a delivery alive until it is stopped. */
export function keepAlive(delivery: Delivery, everyMs: number, clock: Clock): { stop(): void } {
  return {
    stop: clock.every(everyMs, () => {
      delivery.working();
    }),
  };
}

function backoff(deliveries: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (deliveries - 1), LONGEST_BACKOFF_MS);
}
