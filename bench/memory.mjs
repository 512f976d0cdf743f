import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAMS, temporaryFolder } from './harness/folders.mjs';
import { rounded } from './harness/measure.mjs';
import { smallRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';
import { startSystem } from './harness/system.mjs';
import { agentsOf } from './recovery.mjs';

/** (g) What a daemon takes of memory. */
export const memory = {
  id: 'g',
  title: 'Resident memory of a daemon',
  how: 'VmRSS of each daemon after a run of whole jobs, and at its peak (VmHWM).',
  run: ({ quick }) => withScope((onEnd) => measure(onEnd, quick ? 30 : 200)),
};

async function measure(onEnd, jobs) {
  const folder = await temporaryFolder(onEnd);
  const repository = await smallRepository(join(folder, 'repository'));
  const system = await startSystem(onEnd, { coder: join(PROGRAMS, 'coder.sh'), reviewer: join(PROGRAMS, 'reviewer.sh') });
  for (let n = 0; n < jobs; n += 2) await Promise.all([system.runJob(repository), system.runJob(repository)]);
  return Promise.all(
    agentsOf(system).map(async ({ id, pid }) => {
      const { rss, peak } = await memoryOf(pid);
      return {
        id: `g.${id}`,
        title: `Memory of ${id} after ${String(jobs)} jobs`,
        figure: rss,
        unit: 'MB',
        goal: '≤ 90',
        met: rss <= 90,
        detail: { peak },
      };
    }),
  );
}

async function memoryOf(pid) {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  const megabytes = (name) => rounded((Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024) / 1_000_000, 0);
  return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}
