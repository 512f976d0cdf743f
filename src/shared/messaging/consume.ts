import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Clock, systemClock } from '../lifecycle/clock.ts';
import { type Delivery, deliveryOf } from './delivery.ts';
import { createFailureCount, type FailureCount } from './failure-count.ts';
import { keepAlive, mayPass, outcomeOf, type OutcomeRules, settle, type Settling } from './outcome.ts';
import { untilAnswered } from './until-answered.ts';

export interface HandleOptions extends Settling {
  /** Must be safe to run again for a message it handled before. */
  readonly handle: (delivery: Delivery) => Promise<void>;
  readonly rules: OutcomeRules;
  /** How often a message in hand renews its lease (milliseconds). Default 3,000. */
  readonly workingEveryMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface ConsumeOptions extends HandleOptions {
  readonly stream: string;
  readonly consumer: string;
  /** How many messages are asked for at a time. How many are in hand is bounded by the consumer's `max_ack_pending`. */
  readonly prefetch: number;
  /** Told of what goes wrong beside the handlers: the loop itself goes on. */
  readonly onError: (error: unknown) => void;
}

export interface Consuming {
  /** Takes no more messages, and resolves when those in hand are settled. */
  stop(): Promise<void>;
  /** Settles when no more messages come, and those in hand are settled. */
  readonly closed: Promise<void>;
}

const WORKING_EVERY_MS = 3_000;
/**
 * A pull lives in the memory of the consumer's leader: when another node takes over, it is gone, and only the missing heartbeats tell.
 * Two of them are missed, then it pulls anew; with the client's own defaults that takes half a minute.
 */
const HEARTBEAT_MS = 1_000;
/** Also how long it waits to try again where the consumer has no leader yet. */
const PULL_EXPIRES_MS = 2_000;
/** How long it asks for the consumer each time: without a leader there is no answer. */
const CONSUMER_WITHIN_MS = 1_500;

/** Handles the messages of a durable consumer, several at a time, until stopped; goes on over every reconnect. */
export async function consume(nc: NatsConnection, options: ConsumeOptions): Promise<Consuming> {
  const { consumers } = jetstream(nc, { timeout: CONSUMER_WITHIN_MS });
  const consumer = await untilAnswered(() => consumers.get(options.stream, options.consumer));
  const inHand = new Set<Promise<void>>();
  const failures = createFailureCount();
  const messages = await consumer.consume({
    max_messages: options.prefetch,
    expires: PULL_EXPIRES_MS,
    idle_heartbeat: HEARTBEAT_MS,
    callback: (message) => {
      const handling = handleDelivery(deliveryOf(message), options, failures).catch(options.onError);
      inHand.add(handling);
      void handling.finally(() => inHand.delete(handling));
    },
  });
  const closed = messages.closed().then(async (error) => {
    if (error) options.onError(error);
    await Promise.all(inHand);
  });
  return {
    closed,
    stop: async () => {
      messages.stop();
      await closed;
    },
  };
}

/** Handles one message while its lease is kept alive, and answers it as the outcome demands. @throws where it can't be answered */
export async function handleDelivery(delivery: Delivery, options: HandleOptions, failures: FailureCount): Promise<void> {
  const lease = keepAlive(delivery, options.workingEveryMs ?? WORKING_EVERY_MS, options.clock ?? systemClock);
  try {
    const outcome = await options.handle(delivery).then(
      () => ({ type: 'done' }) as const,
      (error: unknown) => outcomeOf(error, delivery.deliveries, options.rules, countOf(error, delivery, options.rules, failures)),
    );
    if (outcome.type !== 'later') failures.forget(delivery.streamSeq);
    await settle(delivery, outcome, options);
  } finally {
    lease.stop();
  }
}

/** Where what passes comes again for ever, an outage before says nothing about the message: what counts is how often it failed unexpectedly. */
function countOf(error: unknown, { streamSeq, deliveries }: Delivery, { retryForever }: OutcomeRules, failures: FailureCount): number {
  if (!retryForever) return deliveries;
  return mayPass(error) ? 0 : failures.add(streamSeq);
}
