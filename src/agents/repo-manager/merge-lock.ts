import { InterruptedError } from '../../shared/errors/errors.ts';
import { type Clock, systemClock } from '../../shared/lifecycle/clock.ts';
import type { Lock } from '../../shared/messages/agent.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import type { Bucket, Entry } from '../../shared/messaging/bucket.ts';
import { untilAnswered } from '../../shared/messaging/until-answered.ts';
import { createKeyedQueue } from './keyed-queue.ts';

export interface MergeLock {
  /**
   * Runs `work` while no other repo-manager merges into the same base. `isHeld` says whether that is certain: not any more when the lock
   * was lost, or could not be renewed for a whole lease (a process that was paused knows it before it is told).
   *
   * @throws InterruptedError `merge_interrupted` when `signal` is aborted before the work has begun
   */
  whileHeld<T>(key: string, work: (isHeld: () => boolean) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Removes locks that were not renewed for a whole lease while they were watched: from one call of this to a later one. */
  removeAbandoned(): Promise<void>;
}

export interface MergeLockOptions {
  readonly locks: Bucket<Lock>;
  readonly holder: string;
  readonly incarnation: string;
  readonly onError: (error: unknown) => void;
  /** A lock that was not renewed for this long, by the observer's own monotonic clock, is taken over (milliseconds). Default 10,000. */
  readonly leaseMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const LEASE_MS = 10_000;
const LOOK_EVERY_MS = 200;

/**
 * One merge at a time per base. The lock spares work; what keeps a base right is the compare-and-swap of its ref, for a
 * holder may be paused past its lease at any moment.
 */
export function createMergeLock(options: MergeLockOptions): MergeLock {
  const queue = createKeyedQueue();
  const watched = new Map<string, Seen>();
  return {
    removeAbandoned: () => removeAbandoned(options, watched),
    whileHeld: (key, work, signal) =>
      unlessAborted(signal, (begins) =>
        queue.run(key, async () => {
          const lease = await acquire(options, key, signal);
          begins();
          try {
            return await work(lease.isHeld);
          } finally {
            await lease.release();
          }
        }),
      ),
  };
}

/** A revision of a lock, and since when (monotonic, milliseconds) it has been the newest that we saw. */
interface Seen {
  readonly revision: number;
  readonly at: number;
}

/** Where nobody merges into a base again, nobody takes over what a dead repo-manager left there. */
async function removeAbandoned(
  { locks, leaseMs = LEASE_MS, clock = systemClock }: MergeLockOptions,
  watched: Map<string, Seen>,
): Promise<void> {
  const found = await locks.all();
  for (const { key, revision } of found) {
    const seen = watched.get(key);
    if (seen?.revision !== revision) watched.set(key, { revision, at: clock.monotonicMs() });
    else if (clock.monotonicMs() - seen.at > leaseMs) await locks.remove(key, revision);
  }
  for (const key of watched.keys()) if (!found.some((lock) => lock.key === key)) watched.delete(key);
}

/** What waits for its turn is let go when `signal` is aborted; what has begun goes on. */
function unlessAborted<T>(signal: AbortSignal | undefined, run: (begins: () => void) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const letGo = (): void => {
      reject(interrupted());
    };
    const begins = (): void => {
      signal?.removeEventListener('abort', letGo);
    };
    signal?.addEventListener('abort', letGo);
    run(begins).then(resolve, reject).finally(begins);
  });
}

function interrupted(): InterruptedError {
  return new InterruptedError('merge_interrupted', 'The merge is no longer wanted.');
}

interface Lease {
  isHeld(): boolean;
  release(): Promise<void>;
}

async function acquire(options: MergeLockOptions, key: string, signal: AbortSignal | undefined): Promise<Lease> {
  const { locks, holder, incarnation, leaseMs = LEASE_MS, clock = systemClock } = options;
  const mine = versioned({ holder, incarnation, renewal: 0 });
  let seen: Seen | undefined;
  for (;;) {
    if (signal?.aborted === true) throw interrupted();
    const current = await locks.get(key);
    const askedAt = clock.monotonicMs();
    if (!current) {
      const revision = await locks.create(key, mine);
      if (revision !== null) return keep(options, { key, value: mine, revision }, askedAt);
      continue;
    }
    if (seen?.revision !== current.revision) seen = { revision: current.revision, at: clock.monotonicMs() };
    // One in our own name is a leftover, of this incarnation too (a release that was not answered): the queue lets nobody else
    // of this process in. Another's has to have been silent for a whole lease while we watched.
    const mayTake = current.value.holder === holder || clock.monotonicMs() - seen.at > leaseMs;
    if (mayTake) {
      const revision = await locks.update(key, mine, current.revision);
      if (revision !== null) return keep(options, { key, value: mine, revision }, askedAt);
      continue;
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** @param takenAt a moment before which the lock was certainly not taken */
function keep(options: MergeLockOptions, taken: Entry<Lock>, takenAt: number): Lease {
  const { locks, onError, leaseMs = LEASE_MS, clock = systemClock } = options;
  const { key } = taken;
  let entry: Entry<Lock> | null = taken;
  let certainSince = takenAt;
  const renew = async (): Promise<void> => {
    if (!entry) return;
    const value = { ...entry.value, renewal: entry.value.renewal + 1 };
    const askedAt = clock.monotonicMs();
    const revision = await locks.update(key, value, entry.revision);
    certainSince = askedAt;
    entry = revision === null ? null : { key, value, revision };
  };
  let renewing: Promise<void> = Promise.resolve();
  const stopRenewing = clock.every(leaseMs / 3, () => {
    renewing = renewing.then(renew).catch(onError);
  });
  return {
    isHeld: () => entry !== null && clock.monotonicMs() - certainSince < leaseMs,
    release: async () => {
      stopRenewing();
      await renewing;
      const last = entry;
      // A lock that stays behind in our name is taken over, but says that somebody merges: asked for until it is answered.
      if (last) await untilAnswered(() => locks.remove(key, last.revision), clock).catch(onError);
    },
  };
}
