import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PROGRAMS, temporaryFolder } from './harness/folders.mjs';
import { interleaved, median, pairedRatio, rounded } from './harness/measure.mjs';
import { runAside } from './harness/processes.mjs';
import { git, smallRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';
import { startSystem } from './harness/system.mjs';

const CORES = availableParallelism();
const RUNNERS = {
  node: {
    coder: join(PROGRAMS, 'coder.mjs'),
    reviewer: join(PROGRAMS, 'reviewer.mjs'),
    about: 'runners are Node programs, as most coding CLIs are',
  },
  script: { coder: join(PROGRAMS, 'coder.sh'), reviewer: join(PROGRAMS, 'reviewer.sh'), about: 'runners are shell scripts of four lines' },
};

/** (a) A whole job against a shell script that does the same with git and the same runners. */
export const wholeJob = {
  id: 'a',
  title: 'A whole job against a shell script with the same git steps and runner starts',
  how: `\`bench/programs/job.sh\` is the script. Each job writes one file in a small repository that is checked out. "Alone": time of a job over that of the script, one after the other, in turn. Under load: jobs a second over the script's, at as many at a time as is said (${String(CORES)} coders and reviewers), each with a repository of its own.`,
  run: async ({ quick }) => {
    const results = [];
    for (const [name, runners] of Object.entries(RUNNERS)) {
      results.push(await withScope((onEnd) => alone(onEnd, name, runners, quick ? 8 : 40)));
    }
    for (const times of [1, 4, 16]) results.push(await withScope((onEnd) => underLoad(onEnd, times, quick)));
    return results;
  },
};

async function alone(onEnd, name, runners, rounds) {
  const { system, script, repositories } = await prepare(onEnd, runners, 1, 1);
  const [repository] = repositories;
  const times = await interleaved(rounds, { job: () => system.runJob(repository), script: () => script(repository) }, { warmUps: 2 });
  const [job, bare] = [median(times.job), median(times.script)];
  const figure = pairedRatio(times.job, times.script);
  return {
    id: `a.alone.${name}`,
    title: `A job alone against the script, ${runners.about}`,
    figure: rounded(figure),
    unit: '×',
    goal: '≤ 1.3',
    met: figure <= 1.3,
    detail: { jobMs: rounded(job, 0), scriptMs: rounded(bare, 0), addedMs: rounded(job - bare, 0) },
  };
}

async function underLoad(onEnd, times, quick) {
  const atOnce = times * CORES;
  const jobs = Math.max(atOnce, quick ? 8 : 48);
  const { system, script, repositories } = await prepare(onEnd, RUNNERS.node, CORES, atOnce);
  const ways = { job: () => inParallel(atOnce, jobs, (slot) => system.runJob(repositories[slot])) };
  ways.script = () => inParallel(atOnce, jobs, (slot) => script(repositories[slot]));
  // Daemons that have just started are slow: some jobs first.
  await inParallel(Math.min(atOnce, 8), 8, (slot) => system.runJob(repositories[slot]));
  const took = await interleaved(quick ? 1 : 4, ways, { warmUps: 0 });
  const [job, bare] = [median(took.job), median(took.script)];
  return {
    id: `a.load-${String(times)}x`,
    title: `Jobs a second against the script's, ${String(times)} × cores at a time, ${RUNNERS.node.about}`,
    figure: rounded(bare / job),
    unit: '×',
    goal: '≥ 0.8',
    met: bare / job >= 0.8,
    detail: { jobsPerSecond: rounded((jobs * 1_000) / job), scriptsPerSecond: rounded((jobs * 1_000) / bare), atOnce },
  };
}

async function prepare(onEnd, { coder, reviewer }, agents, repositoryCount) {
  const folder = await temporaryFolder(onEnd);
  const names = Array.from({ length: repositoryCount }, (_, n) => join(folder, `repository-${String(n)}`));
  const repositories = await Promise.all(names.map(smallRepository));
  const system = await startSystem(onEnd, { coders: agents, reviewers: agents, coder, reviewer });
  return { system, repositories, script: await createScript(folder, { coder, reviewer }) };
}

/** The script keeps a mirror and a cache for each repository, as the system does. */
async function createScript(folder, { coder, reviewer }) {
  const made = new Set();
  let count = 0;
  return async (repository) => {
    const [mirror, cache] = [`${repository}.mirror.git`, `${repository}.cache.git`];
    if (!made.has(repository)) for (const store of [mirror, cache]) git(folder, 'init', '-q', '--bare', store);
    made.add(repository);
    const job = `script-${String((count += 1))}`;
    await runAside(join(PROGRAMS, 'job.sh'), [repository, mirror, cache, join(folder, job), job, coder, reviewer]);
  };
}

/** `jobs` of them, so many at a time, each in a slot of its own. */
async function inParallel(atOnce, jobs, work) {
  let left = jobs;
  const workInSlot = async (_, slot) => {
    while (left-- > 0) await work(slot);
  };
  await Promise.all(Array.from({ length: atOnce }, workInSlot));
}
