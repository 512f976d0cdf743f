/** How often messages failed unexpectedly here: only that counts towards giving one up where what passes may come again for ever. */
export interface FailureCount {
  /** @returns how often, this time included */
  add(streamSeq: number): number;
  forget(streamSeq: number): void;
}

const REMEMBERED = 1_000;

/** One for each stream: a message is told by its sequence. Forgotten at a restart. */
export function createFailureCount(): FailureCount {
  const failures = new Map<number, number>();
  return {
    add: (streamSeq) => {
      const count = (failures.get(streamSeq) ?? 0) + 1;
      failures.set(streamSeq, count);
      const [oldest] = failures.keys();
      // One that was settled elsewhere is never heard of again.
      if (failures.size > REMEMBERED && oldest !== undefined) failures.delete(oldest);
      return count;
    },
    forget: (streamSeq) => void failures.delete(streamSeq),
  };
}
