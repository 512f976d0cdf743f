/** Virtual time: what is due happens in order, and nothing waits. */
export interface Timeline {
  /** Milliseconds since the world began. */
  now(): number;
  /** Has `work` happen in `ms` (whole ones); what is due at the same moment happens in the order it was asked for. @returns takes it back */
  after(ms: number, work: () => void): () => void;
  /** Lets things happen until `done` says so, nothing is due any more, or `untilMs` has come. */
  run(untilMs: number, done: () => boolean): Promise<'done' | 'nothing is due' | 'time is up'>;
}

interface Due {
  readonly at: number;
  readonly order: number;
  work: (() => void) | undefined;
}

export function createTimeline(): Timeline {
  const heap: Due[] = [];
  let now = 0;
  let order = 0;
  return {
    now: () => now,
    after: (ms, work) => {
      const due: Due = { at: now + Math.max(0, Math.ceil(ms)), order: order++, work };
      push(heap, due);
      return () => {
        due.work = undefined;
      };
    },
    run: async (untilMs, done) => {
      for (;;) {
        if (done()) return 'done';
        const due = pop(heap);
        if (!due) return 'nothing is due';
        if (due.at > untilMs) {
          push(heap, due);
          return 'time is up';
        }
        if (!due.work) continue;
        now = due.at;
        due.work();
        await reactions();
      }
    },
  };
}

/** Resolves when all that follows from what has happened has run: Node looks at its ticks only when no promise is left to react to. */
function reactions(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => {
      process.nextTick(resolve);
    });
  });
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Due[], due: Due): void {
  let at = heap.push(due) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (!parent || !isBefore(due, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = due;
}

function pop(heap: Due[]): Due | undefined {
  const [top] = heap;
  const last = heap.pop();
  if (!top || !last || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const below = right && left && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
    const child = heap[below];
    if (!child || !isBefore(child, last)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
  return top;
}
