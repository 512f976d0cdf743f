import { jetstream, jetstreamManager, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { TerminalError } from '../errors/errors.ts';
import { parseDelivery } from './parse.ts';
import { WRONG_LAST_SEQUENCE } from './publish.ts';
import { bucketPrefix } from './topology.ts';
import { deleteStreamMessage } from './stream-message.ts';

export interface Entry<T> {
  readonly key: string;
  readonly value: T;
  readonly revision: number;
}

/** The code of the TerminalError that a read throws where a value is not what the bucket holds. */
export const UNREADABLE_RECORD = 'unreadable_record';

/**
 * A KV bucket whose values are checked as they come in. Writes are compare-and-set, but for `put`.
 *
 * Reading throws TerminalError `unreadable_record`, naming the key, where a value is not what it should be.
 */
export interface Bucket<T> {
  get(key: string): Promise<Entry<T> | null>;
  /** @returns the revision, or null where the key exists already */
  create(key: string, value: T): Promise<number | null>;
  /** @returns the new revision, or null where somebody else was first (or the key is gone) */
  update(key: string, value: T, revision: number): Promise<number | null>;
  put(key: string, value: T): Promise<number>;
  /** Removes the very revision that was read, without leaving a marker. @returns whether it was still there */
  remove(key: string, revision: number): Promise<boolean>;
  /** Marks the very revision that was read as gone: for who may write but not delete. The marker stays until its bucket's time is over. */
  retire(key: string, revision: number): Promise<void>;
  /** Every entry that can be read: nobody hides the others by writing nonsense. Only for buckets that do not grow with history. */
  all(): Promise<Entry<T>[]>;
}

const LEADER_READS = { bindOnly: true, allow_direct: false } as const;
/** Without a leader nobody answers, and reading may be done again at once: it need not be waited for as long as for a write. */
const READ_WITHIN_MS = 2_000;

/**
 * Opens a bucket that exists.
 *
 * Read from the stream's leader: a direct read may be answered by a follower that lags, and would then not show a record whose write
 * was acknowledged (one read in a hundred on an idle cluster, one in fourteen on a busy one).
 *
 * A timed-out write has an unknown outcome: the error says so, and the caller reads again before it decides.
 */
export async function openBucket<T>(nc: NatsConnection, name: string, schema: z.ZodType<T>): Promise<Bucket<T>> {
  const kv = await new Kvm(nc).open(name, LEADER_READS);
  const reading = await new Kvm(jetstream(nc, { timeout: READ_WITHIN_MS })).open(name, LEADER_READS);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const get = (key: string): Promise<Entry<T> | null> => read(reading, key, (data) => parseRecord(name, key, data, schema));

  return {
    get,
    create: (key, value) => unlessRaced(kv.create(key, JSON.stringify(value))),
    update: (key, value, revision) => unlessRaced(kv.update(key, JSON.stringify(value), revision)),
    put: (key, value) => kv.put(key, JSON.stringify(value)),
    remove: (_key, revision) => deleteStreamMessage(jsm, `KV_${name}`, revision),
    retire: (key, revision) => kv.delete(key, { previousSeq: revision }),
    all: async () => {
      const entries = await Promise.all((await keysOf(jsm, name)).map((key) => get(key).catch(unlessUnreadable)));
      return entries.filter((entry) => entry !== null);
    },
  };
}

/** The client's own listing waits for half a minute when a key goes while it lists; the server knows the subjects at once. */
async function keysOf(jsm: JetStreamManager, name: string): Promise<string[]> {
  const prefix = bucketPrefix(name);
  const { state } = await jsm.streams.info(`KV_${name}`, { subjects_filter: `${prefix}>` });
  return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length));
}

function parseRecord<T>(bucket: string, key: string, data: Uint8Array, schema: z.ZodType<T>): T {
  try {
    return parseDelivery({ data }, schema);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const message = `The record ${key} in the bucket ${bucket} can't be read: ${error.message}`;
    throw new TerminalError(UNREADABLE_RECORD, message, { cause: error, details: { bucket, key } });
  }
}

async function read<T>(kv: KV, key: string, parse: (data: Uint8Array) => T): Promise<Entry<T> | null> {
  const entry = await kv.get(key);
  if (entry?.operation !== 'PUT') return null;
  return { key, value: parse(entry.value), revision: entry.revision };
}

function unlessUnreadable(error: unknown): null {
  if (error instanceof TerminalError && error.code === UNREADABLE_RECORD) return null;
  throw error;
}

async function unlessRaced(write: Promise<number>): Promise<number | null> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return null;
    throw error;
  }
}
