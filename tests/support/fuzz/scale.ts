/** The whole size takes minutes (`npm run fuzz`); otherwise a tenth or so of it, in seconds. */
const IS_WHOLE = process.env['FUZZ_SIZE'] === 'whole';

/** Random each time, unless one is to be seen again. */
export const SEED = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Date.now() / 1_000) % 1_000_000_000);

/** How many of something to try. */
export function size(whole: number, small: number): number {
  return IS_WHOLE ? whole : small;
}

/** What a failure says first. */
export const AGAIN = `FUZZ_SEED=${String(SEED)} FUZZ_SIZE=${IS_WHOLE ? 'whole' : 'small'}`;
