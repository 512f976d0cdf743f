/** Three renewals to a lease: one may be lost. */
const RENEWALS_PER_LEASE = 3.3;
/** The longest a timer can wait; a drain without a deadline has none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How often a message in hand renews its lease, for this ack wait (both in milliseconds). */
export function workingEvery(ackWaitMs: number): number {
  return Math.round(ackWaitMs / RENEWALS_PER_LEASE);
}

/** Stops something with a deadline that aborts after `deadlineMs`. */
export async function stopWithin(deadlineMs: number, stop: (deadline: AbortSignal) => Promise<void>): Promise<void> {
  const deadline = new AbortController();
  const timer =
    deadlineMs < LONGEST_TIMER_MS
      ? setTimeout(() => {
          deadline.abort();
        }, deadlineMs)
      : undefined;
  await stop(deadline.signal).finally(() => {
    clearTimeout(timer);
  });
}
