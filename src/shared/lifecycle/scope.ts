/** Releases one thing. */
export type Closer = () => void | Promise<void>;

/** Things opened so far, to be released in reverse order. */
export interface Scope {
  /** To be called right after a thing is open. */
  add(closer: Closer): void;
  /**
   * Runs every closer once, the last added first; a failing one does not keep the others from running. Idempotent.
   *
   * @throws AggregateError of what failed, after all have run.
   */
  close(): Promise<void>;
}

export function createScope(): Scope {
  const closers: Closer[] = [];
  let closing: Promise<void> | undefined;
  return {
    add: (closer) => {
      closers.push(closer);
    },
    close: () => (closing ??= closeAll(closers)),
  };
}

async function closeAll(closers: Closer[]): Promise<void> {
  const faults: unknown[] = [];
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
    try {
      await closer();
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, 'not everything could be closed');
}
