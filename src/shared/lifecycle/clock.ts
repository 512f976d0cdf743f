import { setTimeout as delay } from 'node:timers/promises';

/** Time that passes, for what waits, renews or watches; a moment to be written down comes from elsewhere (`now`). */
export interface Clock {
  /** A moment of a clock that nobody sets (milliseconds): only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after so long, or at once when `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `work` again and again, the first time after `everyMs`. @returns ends it */
  every(everyMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
  every: (everyMs, work) => {
    const timer = setInterval(work, everyMs);
    return () => {
      clearInterval(timer);
    };
  },
};
