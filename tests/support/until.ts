import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, looking every 10 ms; throws with `what` when it has not come true in `timeoutMs`. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const endsAt = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > endsAt) throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    await sleep(10);
  }
}
