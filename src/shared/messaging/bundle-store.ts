import { createHash, createHmac } from 'node:crypto';
import { jetstream, type JetStreamClient, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BundleRef } from '../domain/bundle.ts';
import type { AgentId, JobId } from '../domain/ids.ts';
import { RetryableError, TerminalError } from '../errors/errors.ts';
import { seal, unseal } from './bundle-cipher.ts';
import { ALL_CHUNKS, BUNDLE_STREAM, chunksOf, chunksOfJobs, chunkSubject, placedName } from './bundle-subjects.ts';

export type BundleKind = 'in' | 'out' | 'wip';

export interface BundleStore {
  /** Encrypts and stores a bundle. Storing the same name again makes another one: the ref says which is meant. */
  put(name: string, bundle: Uint8Array, key: Buffer, tip: string): Promise<BundleRef>;
  /**
   * @throws RetryableError `bundle_missing` when it is not there (any more)
   * @throws TerminalError `bundle_refused` when it is too large, or not what was stored
   */
  get(ref: BundleRef, key: Buffer): Promise<Uint8Array>;
  /**
   * Removes what is there under these names; what is not is fine. A name without a place means every time it was stored. For
   * the repo-manager alone: nobody else may.
   */
  remove(names: readonly string[]): Promise<void>;
  /** The jobs that have bundles here. As long as what is in use: it does not grow with history. */
  jobs(): Promise<StoredBundles[]>;
}

/** What is stored for a job, as it was when it was looked at. */
export interface StoredBundles {
  readonly jobId: JobId;
  /** Removes just that: what has been stored since stays. */
  remove(): Promise<void>;
}

/** Half of what a server takes by default, and a read gives it as base64. */
const CHUNK_BYTES = 256 * 1024;
/** Chunks on their way at once: enough to hide the way there and back, and a bound for the memory they take. */
const AT_ONCE = 4;
const REFUSED = 'bundle_refused';
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

/** Whether a bundle is one of this task, by its name: an agent may name any. */
export function isBundleOf({ name }: Pick<BundleRef, 'name'>, taskId: string): boolean {
  return name.split('/')[1]?.startsWith(`${taskId}.`) ?? false;
}

/**
 * Opens the store of bundles: chunks on subjects of their own in the stream of an object store, read one by one by subject. The client's
 * own way of reading an object makes a consumer, which agents may not; see docs/decisions.
 *
 * @param agentId who stores here: everybody has a place of its own to write to
 */
export async function openBundleStore(nc: NatsConnection, agentId: AgentId): Promise<BundleStore> {
  const js = jetstream(nc);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return {
    put: async (name, bundle, key, tip) => {
      const placed = placedName(name, agentId);
      const sealed = seal(bundle, key, placed);
      await writeChunks(js, placed, sealed);
      return { name: placed, sha256: sha256(sealed), sizeBytes: sealed.length, tip };
    },
    get: async (ref, key) => {
      const sealed = await readChunks(jsm, ref);
      if (sha256(sealed) !== ref.sha256) throw new TerminalError(REFUSED, `The bundle ${ref.name} is not what was announced.`);
      return opened(sealed, key, ref.name);
    },
    remove: async (names) => {
      for (const name of names) await jsm.streams.purge(BUNDLE_STREAM, { filter: chunksOf(name) });
    },
    jobs: async () => {
      const { state } = await jsm.streams.info(BUNDLE_STREAM, { subjects_filter: ALL_CHUNKS });
      return [...chunksOfJobs(Object.keys(state.subjects ?? {}))].map(([jobId, filters]) => ({
        jobId,
        remove: async () => {
          for (const filter of filters) await jsm.streams.purge(BUNDLE_STREAM, { filter });
        },
      }));
    },
  };
}

async function writeChunks(js: JetStreamClient, placed: string, sealed: Uint8Array): Promise<void> {
  await eachChunk(sealed.length, async (index) => {
    const chunk = sealed.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    await js.publish(subjectOf(placed, index), chunk);
  });
}

/** No more than was announced is ever held: memory is taken as chunks come, not because somebody says that they will. */
async function readChunks(jsm: JetStreamManager, { name, sizeBytes }: BundleRef): Promise<Uint8Array> {
  if (sizeBytes > MAX_BUNDLE_BYTES)
    throw new TerminalError(REFUSED, `The bundle ${name} is larger than ${String(MAX_BUNDLE_BYTES)} bytes.`);
  const chunks: Uint8Array[] = [];
  await eachChunk(sizeBytes, async (index) => {
    chunks[index] = await readChunk(jsm, name, index, Math.min(CHUNK_BYTES, sizeBytes - index * CHUNK_BYTES));
  });
  return Buffer.concat(chunks);
}

async function readChunk(jsm: JetStreamManager, name: string, index: number, length: number): Promise<Uint8Array> {
  const message = await jsm.streams.getMessage(BUNDLE_STREAM, { last_by_subj: subjectOf(name, index) });
  if (!message) throw new RetryableError('bundle_missing', `The bundle ${name} is not there.`);
  if (message.data.length !== length) throw new TerminalError(REFUSED, `The bundle ${name} is not what was announced.`);
  return message.data;
}

/** Does something for each chunk, a few at a time, the first ones first. */
async function eachChunk(sizeBytes: number, work: (index: number) => Promise<void>): Promise<void> {
  const count = Math.ceil(sizeBytes / CHUNK_BYTES);
  let next = 0;
  const worker = async (): Promise<void> => {
    try {
      while (next < count) await work(next++);
    } catch (error) {
      next = count;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
}

function subjectOf(name: string, index: number): string {
  const subject = chunkSubject(name, index);
  if (subject === null) throw new RetryableError('bundle_missing', `The bundle ${name} is not there.`);
  return subject;
}

function opened(sealed: Uint8Array, key: Buffer, name: string): Uint8Array {
  try {
    return unseal(sealed, key, name);
  } catch (error) {
    throw new TerminalError(REFUSED, `The bundle ${name} does not open with its key.`, { cause: error });
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
