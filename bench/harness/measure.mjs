/** Runs every way in turn, so that whatever else the machine does hits all of them alike. @returns the times in ms, by the way's name */
export async function interleaved(rounds, ways, { warmUps = 1 } = {}) {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const took = await timed(run);
      if (round >= 0) times[name].push(took);
    }
  }
  return times;
}

/** How long `run` takes (ms); one that gives a number has measured itself. */
async function timed(run) {
  const started = performance.now();
  const measured = await run();
  return typeof measured === 'number' ? measured : performance.now() - started;
}

export function median(times) {
  return percentile(times, 50);
}

/** The smallest value that at least `percent` of all are not above. */
export function percentile(times, percent) {
  if (times.length === 0) throw new RangeError('nothing was measured');
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1))];
}

/** The median of the ratios of runs that stand side by side: less of the machine's moods is left in it than in a ratio of medians. */
export function pairedRatio(times, others) {
  return median(times.map((time, round) => time / others[round]));
}

export function rounded(value, digits = 2) {
  return Number(value.toFixed(digits));
}
