import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ObjectStore, Objm } from '@nats-io/obj';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BundleRef } from '../domain/bundle.ts';
import { RetryableError, TerminalError } from '../errors/errors.ts';
import { BUCKETS } from './topology.ts';

export type BundleKind = 'in' | 'out' | 'wip';

export interface BundleStore {
  /** Encrypts and stores a bundle. Storing the same name again replaces it. */
  put(name: string, bundle: Uint8Array, key: Buffer, tip: string): Promise<BundleRef>;
  /**
   * @throws RetryableError `bundle_missing` when it is not there (any more)
   * @throws TerminalError `bundle_refused` when it is too large, or not what was stored
   */
  get(ref: BundleRef, key: Buffer): Promise<Uint8Array>;
  /** Removes what is there under these names; what is not is fine. */
  remove(names: readonly string[]): Promise<void>;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const STALLED_MS = 10_000;
/** The largest bundle that is taken (bytes). */
export const MAX_BUNDLE_BYTES = 1024 * 1024 * 1024;

export function bundleName(repositoryKey: string, taskId: string, n: number | string, kind: BundleKind): string {
  return `${repositoryKey}/${taskId}.${String(n)}.${kind}`;
}

/**
 * The key of a dispatch's bundles, derived from the repo-managers' common secret: a dispatch that is repeated after a
 * crash has the same one, and nothing but the task's message has to carry it.
 */
export function bundleKeyOf(secret: Buffer, taskId: string, dispatch: number): Buffer {
  return createHmac('sha256', secret)
    .update(`${taskId}.${String(dispatch)}`)
    .digest();
}

export async function openBundleStore(nc: NatsConnection): Promise<BundleStore> {
  const store = await new Objm(nc).open(BUCKETS.bundles);
  return {
    put: async (name, bundle, key, tip) => {
      const sealed = seal(bundle, key, name);
      await store.putBlob({ name }, sealed);
      return { name, sha256: sha256(sealed), sizeBytes: sealed.length, tip };
    },
    get: async (ref, key) => unseal(await fetchBlob(store, ref), key, ref.name),
    remove: async (names) => {
      for (const name of names) await removeOne(store, name);
    },
  };
}

async function fetchBlob(store: ObjectStore, ref: BundleRef): Promise<Uint8Array> {
  if (ref.sizeBytes > MAX_BUNDLE_BYTES)
    throw new TerminalError('bundle_refused', `The bundle ${ref.name} is larger than ${String(MAX_BUNDLE_BYTES)} bytes.`);
  const blob = await readWhole(store, ref.name);
  if (!blob) throw new RetryableError('bundle_missing', `The bundle ${ref.name} is not there.`);
  if (sha256(blob) !== ref.sha256) throw new TerminalError('bundle_refused', `The bundle ${ref.name} is not what was announced.`);
  return blob;
}

/** The client waits without end for the chunks of an object that is removed while it is read: so each has to come in time. */
async function readWhole(store: ObjectStore, name: string): Promise<Uint8Array | null> {
  const found = await store.get(name);
  if (!found) return null;
  const reader = found.data.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const next = await within(STALLED_MS, reader.read());
    if (next === undefined) {
      void reader.cancel().catch(() => undefined);
      throw new RetryableError('store_stalled', `The bundle ${name} stopped coming.`);
    }
    if (next.done) return Buffer.concat(chunks);
    chunks.push(next.value);
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const quiet = new AbortController();
  const tooLate = delay(ms, undefined, { signal: quiet.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    quiet.abort();
  }
}

async function removeOne(store: ObjectStore, name: string): Promise<void> {
  const info = await store.info(name);
  if (info && !info.deleted) await store.delete(name);
}

function seal(plain: Uint8Array, key: Buffer, name: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unseal(sealed: Uint8Array, key: Buffer, name: string): Uint8Array {
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(name))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new TerminalError('bundle_refused', `The bundle ${name} does not open with its key.`, { cause: error });
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
