import type { Delivery } from '../../../src/shared/messaging/delivery.ts';
import type { Bucket, Entry } from '../../../src/shared/messaging/bucket.ts';
import { isUnanswered } from '../../../src/shared/messaging/unanswered.ts';
import type { Incarnation } from './process.ts';
import type { Timeline } from './timeline.ts';

/** A KV bucket as it lies on the server. */
export interface StoredBucket<T> {
  readonly name: string;
  readonly entries: Map<string, Entry<T>>;
  /** The bucket as one process sees it. */
  of(self: Incarnation): Bucket<T>;
}

/** @param onWrite is shown each change: what was there, and what is there now (undefined: nothing) */
export function createStoredBucket<T>(
  name: string,
  onWrite: (key: string, before: T | undefined, after: T | undefined) => void = () => undefined,
): StoredBucket<T> {
  const entries = new Map<string, Entry<T>>();
  let revisions = 0;
  const write = (key: string, value: T): number => {
    const before = entries.get(key)?.value;
    const revision = (revisions += 1);
    entries.set(key, { key, value, revision });
    onWrite(key, before, value);
    return revision;
  };
  return {
    name,
    entries,
    of: (self) => ({
      get: (key) => self.io('nats', `get ${name}`, () => entries.get(key) ?? null),
      create: (key, value) => self.io('nats', `create ${name}`, () => (entries.has(key) ? null : write(key, value))),
      update: (key, value, revision) =>
        self.io('nats', `update ${name}`, () => (entries.get(key)?.revision === revision ? write(key, value) : null)),
      put: (key, value) => self.io('nats', `put ${name}`, () => write(key, value)),
      remove: (key, revision) =>
        self.io('nats', `remove ${name}`, () => {
          const entry = entries.get(key);
          if (entry?.revision !== revision) return false;
          entries.delete(key);
          onWrite(key, entry.value, undefined);
          return true;
        }),
      retire: (key, revision) =>
        self.io('nats', `retire ${name}`, () => {
          const entry = entries.get(key);
          if (entry?.revision !== revision) throw new Error(`another revision of ${key}`);
          entries.delete(key);
          onWrite(key, entry.value, undefined);
        }),
      all: () => self.io('nats', `list ${name}`, () => [...entries.values()]),
    }),
  };
}

export interface StoredMessage {
  readonly seq: number;
  readonly id: string;
  readonly subject: string;
  readonly payload: object;
}

/** A stream as it lies on the server, with the one durable consumer that each subject of it has. */
export interface StoredStream {
  readonly name: string;
  readonly messages: Map<number, StoredMessage>;
  /** Stores a message unless its id is remembered. @returns its sequence, or that of the message with the same id */
  store(subject: string, payload: object, messageId: string): number;
  remove(seq: number): void;
  /** The server comes back from a kill, and has forgotten which message ids there were. */
  forgetIds(): void;
  /** Publishes until there is an answer, as `publishUntilAcknowledged` does. */
  publish(self: Incarnation, subject: string, payload: object, messageId: string): Promise<number>;
  onStored(hear: (message: StoredMessage) => void): void;
  onRemoved(hear: (seq: number) => void): void;
}

const PUBLISH_AGAIN_MS = 50;

export function createStoredStream(timeline: Timeline, name: string, windowMs: number): StoredStream {
  const messages = new Map<number, StoredMessage>();
  const ids = new Map<string, { readonly seq: number; readonly at: number }>();
  const stored: ((message: StoredMessage) => void)[] = [];
  const removed: ((seq: number) => void)[] = [];
  let last = 0;
  const stream: StoredStream = {
    name,
    messages,
    store: (subject, payload, messageId) => {
      const known = ids.get(messageId);
      if (known && timeline.now() - known.at < windowMs) return known.seq;
      const message = { seq: (last += 1), id: messageId, subject, payload };
      ids.set(messageId, { seq: message.seq, at: timeline.now() });
      messages.set(message.seq, message);
      for (const hear of stored) hear(message);
      return message.seq;
    },
    remove: (seq) => {
      messages.delete(seq);
      for (const hear of removed) hear(seq);
    },
    forgetIds: () => {
      ids.clear();
    },
    publish: async (self, subject, payload, messageId) => {
      for (;;) {
        try {
          return await self.io('nats', `publish ${name}`, () => stream.store(subject, payload, messageId));
        } catch (error) {
          if (!isUnanswered(error)) throw error;
        }
        await self.clock.sleep(PUBLISH_AGAIN_MS);
      }
    },
    onStored: (hear) => stored.push(hear),
    onRemoved: (hear) => removed.push(hear),
  };
  return stream;
}

/** Who takes messages: a process, as long as it says that it can. */
export interface Taker {
  readonly self: Incarnation;
  /** Whether it takes one just now; asked for each message. */
  mayTake(): boolean;
  take(delivery: Delivery): void;
}

export interface StoredConsumer {
  /** Messages that are not settled. */
  readonly unsettled: ReadonlySet<number>;
  join(taker: Taker): void;
  /** Somebody may take messages who could not before. */
  look(): void;
}

const ACK_WAIT_MS = 10_000;
const ON_ITS_WAY_MS = 1;

/** Delivers each message to one taker, and again when its lease is over. Of a work queue what is settled is removed. */
export function createStoredConsumer(timeline: Timeline, stream: StoredStream, isMine: (subject: string) => boolean): StoredConsumer {
  interface State {
    deliveries: number;
    /** Nobody has it, and it is due. */
    ready: boolean;
    /** Until when the newest taker has it. */
    until: number;
  }
  const states = new Map<number, State>();
  const unsettled = new Set<number>();
  let takers: Taker[] = [];
  let turn = 0;

  const forget = (seq: number): void => {
    states.delete(seq);
    unsettled.delete(seq);
  };
  const settle = (seq: number): void => {
    forget(seq);
    if (stream.name !== 'REQUESTS') stream.remove(seq);
  };
  const makeReady = (seq: number, state: State, delivery: number): void => {
    if (states.get(seq) !== state || state.deliveries !== delivery || state.ready) return;
    state.ready = true;
    look();
  };
  const watch = (seq: number, state: State, delivery: number): void => {
    timeline.after(state.until - timeline.now(), () => {
      if (states.get(seq) !== state || state.deliveries !== delivery || state.ready) return;
      if (timeline.now() < state.until) watch(seq, state, delivery);
      else makeReady(seq, state, delivery);
    });
  };
  function deliver(seq: number, state: State, { self, take }: Taker): void {
    const message = stream.messages.get(seq);
    if (!message) {
      forget(seq);
      return;
    }
    const delivery = (state.deliveries += 1);
    state.ready = false;
    state.until = timeline.now() + ACK_WAIT_MS;
    watch(seq, state, delivery);
    const isMineStill = (): boolean => states.get(seq) === state && state.deliveries === delivery;
    // What nobody waits for an answer to.
    const say = (work: () => void): void => {
      if (self.isAlive()) timeline.after(ON_ITS_WAY_MS, work);
    };
    timeline.after(ON_ITS_WAY_MS, () => {
      self.hear(() => {
        take({
          stream: stream.name,
          subject: message.subject,
          data: new TextEncoder().encode(JSON.stringify(message.payload)),
          traceparent: undefined,
          streamSeq: seq,
          deliveries: delivery,
          // An ack counts whoever sends it, and whenever.
          ack: () =>
            self.io('nats', `ack ${stream.name}`, () => {
              settle(seq);
            }),
          nak: (delayMs = 0) => {
            say(() => {
              timeline.after(delayMs, () => {
                if (isMineStill()) makeReady(seq, state, delivery);
              });
            });
          },
          term: () => {
            say(() => {
              settle(seq);
            });
          },
          working: () => {
            say(() => {
              if (isMineStill()) state.until = timeline.now() + ACK_WAIT_MS;
            });
          },
        });
      });
    });
  }
  function look(): void {
    takers = takers.filter(({ self }) => self.isAlive());
    for (const [seq, state] of states) {
      if (!state.ready) continue;
      const able = takers.filter((taker) => taker.mayTake());
      const taker = able[(turn += 1) % Math.max(1, able.length)];
      if (!taker) return;
      deliver(seq, state, taker);
    }
  }
  stream.onStored(({ seq, subject }) => {
    if (!isMine(subject)) return;
    states.set(seq, { deliveries: 0, ready: true, until: 0 });
    unsettled.add(seq);
    look();
  });
  stream.onRemoved(forget);
  return {
    unsettled,
    join: (taker) => {
      takers.push(taker);
      look();
    },
    look,
  };
}
