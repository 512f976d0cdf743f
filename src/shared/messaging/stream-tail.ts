import { setTimeout as delay } from 'node:timers/promises';
import { type Consumer, type ConsumerMessages, jetstream, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { isUnanswered } from './unanswered.ts';

export interface TailOptions {
  readonly stream: string;
  /** One subject, wildcards allowed: older servers take no more than one. */
  readonly filter: string;
  /** The first sequence wanted. Default 1: everything there is. */
  readonly from?: number;
}

export interface Tail {
  /** Ends it. No message is handed over afterwards. */
  stop(): void;
  /** The sequence after the last message that was handed over: where another tail goes on. */
  readonly next: () => number;
}

const AGAIN_AFTER_MS = 250;
/** An ordered consumer notices what the connection does not tell (a consumer that is gone) by two missing heartbeats. */
const HEARTBEAT_MS = 1_000;
const PULL_EXPIRES_MS = 5_000;
/** A cluster may put a new consumer on a node that is down, and then says nothing; the next one is put elsewhere. */
const CONSUMER_WITHIN_MS = 2_000;
const CONSUMER_TRIES = 6;

/**
 * Hands over a stream's messages from a sequence on and as they come, in order and each once, until stopped. After a reconnect it goes on
 * behind the last one.
 */
export function tailStream(nc: NatsConnection, options: TailOptions, onMessage: (message: JsMsg) => void): Tail {
  const stopping = new AbortController();
  const isStopped = (): boolean => stopping.signal.aborted;
  let next = options.from ?? 1;
  let current: ConsumerMessages | undefined;

  const run = async (): Promise<void> => {
    while (!isStopped() && !nc.isClosed()) {
      const consumer = await orderedConsumer(nc, options, next).catch(() => undefined);
      if (consumer) {
        current = await consumer.consume({ expires: PULL_EXPIRES_MS, idle_heartbeat: HEARTBEAT_MS }).catch(() => undefined);
        if (isStopped()) current?.stop();
        for await (const message of current ?? []) {
          if (isStopped()) break;
          if (message.seq < next) continue;
          next = message.seq + 1;
          onMessage(message);
        }
        current = undefined;
        // It would be forgotten in five minutes anyhow.
        void consumer.delete().catch(() => undefined);
      }
      await delay(AGAIN_AFTER_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  // A consumer in memory does not outlive its server: a new one is quicker than finding that out.
  const unwatch = onReconnect(nc, () => current?.stop());
  void run();
  return {
    next: () => next,
    stop: () => {
      stopping.abort();
      unwatch();
      current?.stop();
    },
  };
}

/** Reads what a stream has from a sequence on, to the end that it has when it gets there. */
export async function* readStream(nc: NatsConnection, options: TailOptions): AsyncGenerator<JsMsg> {
  const consumer = await anyConsumer(nc, options);
  try {
    const { num_pending: pending } = await consumer.info(true);
    if (pending === 0) return;
    for await (const message of await consumer.consume({ expires: PULL_EXPIRES_MS, idle_heartbeat: HEARTBEAT_MS })) {
      yield message;
      if (message.info.pending === 0) return;
    }
  } finally {
    await consumer.delete().catch(() => undefined);
  }
}

async function anyConsumer(nc: NatsConnection, options: TailOptions): Promise<Consumer> {
  for (let tries = 1; ; tries++) {
    try {
      return await orderedConsumer(nc, options, options.from ?? 1);
    } catch (error) {
      if (!isUnanswered(error) || tries === CONSUMER_TRIES) throw error;
    }
  }
}

/** Calls back after each reconnect. @returns how to stop that */
export function onReconnect(nc: NatsConnection, callback: () => void): () => void {
  return onStatus(nc, (type) => {
    if (type === 'reconnect') callback();
  });
}

/** Calls back with what happens to the connection. @returns how to stop that */
export function onStatus(nc: NatsConnection, callback: (type: string) => void): () => void {
  const statuses = nc.status();
  let watching = true;
  const isWatching = (): boolean => watching;
  void (async () => {
    for await (const { type } of statuses) {
      if (!isWatching()) return;
      callback(type);
    }
  })();
  return () => {
    watching = false;
    (statuses as { stop?: () => void }).stop?.();
  };
}

async function orderedConsumer(nc: NatsConnection, { stream, filter }: TailOptions, from: number): Promise<Consumer> {
  return jetstream(nc, { timeout: CONSUMER_WITHIN_MS }).consumers.get(stream, { filter_subjects: filter, opt_start_seq: from });
}
