import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAMS, temporaryFolder } from './harness/folders.mjs';
import { median, percentile, rounded } from './harness/measure.mjs';
import { smallRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';
import { startSystem } from './harness/system.mjs';

/** (d) From "stored" to the runner at work. */
export const runnerStart = {
  id: 'd',
  title: 'From "request stored" to "runner started", warm',
  how: "From the server's acknowledgement of the request to the first command of the coder's shell script, one job after the other, the repository known and the agents idle.",
  run: ({ quick }) => withScope((onEnd) => measure(onEnd, quick ? 25 : 80)),
};

async function measure(onEnd, jobs) {
  const folder = await temporaryFolder(onEnd);
  const repository = await smallRepository(join(folder, 'repository'));
  const stamps = join(folder, 'stamps');
  const coder = `/usr/bin/env BENCH_STAMPS=${stamps} ${join(PROGRAMS, 'coder.sh')}`;
  const system = await startSystem(onEnd, { coder, reviewer: join(PROGRAMS, 'reviewer.sh') });
  const storedAt = new Map();
  for (let n = -5; n < jobs; n++) {
    const { id, storedAt: at, ended } = await system.submit(repository);
    if (n >= 0) storedAt.set(id, at);
    await ended;
  }
  const times = (await startsIn(stamps)).flatMap(({ id, at }) => (storedAt.has(id) ? [at - storedAt.get(id)] : []));
  const p50 = median(times);
  return [
    {
      id: 'd',
      title: 'Request stored → runner started, p50',
      figure: rounded(p50, 0),
      unit: 'ms',
      goal: '≤ 50',
      met: p50 <= 50,
      detail: { p10: rounded(percentile(times, 10), 0), p90: rounded(percentile(times, 90), 0), jobs: times.length },
    },
  ];
}

/** What `bench/programs/coder.sh` noted: nanoseconds and the job. */
export async function startsIn(stamps) {
  const lines = (await readFile(stamps, 'utf8').catch(() => '')).split('\n').filter((line) => line.includes(' '));
  return lines.map((line) => ({ at: Number(line.split(' ')[0]) / 1e6, id: line.split(' ')[1] }));
}
