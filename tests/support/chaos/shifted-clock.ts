import { readFileSync } from 'node:fs';

/** Names the file that says by how many milliseconds the wall clock of a daemon is wrong. */
export const CLOCK_VARIABLE = 'CHAOS_CLOCK_FILE';

const LOOK_EVERY_MS = 100;

/**
 * Has the wall clock of this process jump as the file says, for machines that have no `faketime`. All that our own code asks
 * for the time goes through `Date`; the monotonic clock is left alone, as it is by one that sets the clock of a real machine.
 */
export function shiftClock(file = process.env[CLOCK_VARIABLE]): void {
  if (file === undefined) return;
  const RealDate = Date;
  let shiftMs = 0;
  const look = (): void => {
    shiftMs = readShift(file);
  };
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
  const now = (): number => RealDate.now() + shiftMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, key, receiver): unknown => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  });
}

function readShift(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}
