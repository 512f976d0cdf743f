import { performance } from 'node:perf_hooks';

/** What ended a run before its own end. */
export type EndedBy = 'wall' | 'stall' | 'abort';

export interface RunLimits {
  /** The longest a run may take (milliseconds, default: no limit). */
  readonly wallMs?: number | undefined;
  /** The longest it may say nothing (milliseconds, default: no limit). */
  readonly stallMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LimitWatch {
  /** Resolves with the first limit that was passed; never rejects, and stays pending after `stop`. */
  readonly passed: Promise<EndedBy>;
  /** Something was said: the stall limit counts from now. */
  heard(): void;
  stop(): void;
}

// setTimeout takes no more than 2^31-1 ms, and fires at once beyond it.
const MAX_TIMER_MS = 2_147_483_647;

/** Watches the limits of a run that starts now, by the monotonic clock. */
export function watchLimits(limits: RunLimits): LimitWatch {
  let heardAt = performance.now();
  let stopped = false;
  const timers = new Map<EndedBy, NodeJS.Timeout>();
  let resolve: (endedBy: EndedBy) => void = () => undefined;
  const passed = new Promise<EndedBy>((settle) => {
    resolve = settle;
  });
  const aborted = (): void => {
    resolve('abort');
  };

  const armStall = (stallMs: number): void => {
    const leftMs = heardAt + stallMs - performance.now();
    // A pause of this very process (SIGSTOP, a busy loop) lets timers fire before the output that waits in the pipe is
    // read: so the pipe is polled once more before the verdict.
    const check = (): void => {
      if (stopped) return;
      if (performance.now() - heardAt >= stallMs) resolve('stall');
      else armStall(stallMs);
    };
    timers.set(
      'stall',
      setTimeout(() => setImmediate(check), Math.min(Math.max(leftMs, 0) + 1, MAX_TIMER_MS)),
    );
  };

  if (limits.signal?.aborted === true) aborted();
  limits.signal?.addEventListener('abort', aborted, { once: true });
  if (limits.wallMs !== undefined) {
    timers.set(
      'wall',
      setTimeout(
        () => {
          resolve('wall');
        },
        Math.min(limits.wallMs, MAX_TIMER_MS),
      ),
    );
  }
  if (limits.stallMs !== undefined) armStall(limits.stallMs);

  return {
    passed,
    heard: () => {
      heardAt = performance.now();
    },
    stop: () => {
      stopped = true;
      limits.signal?.removeEventListener('abort', aborted);
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
