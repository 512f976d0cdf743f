import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAMS, ROOT, temporaryFolder } from './harness/folders.mjs';
import { median, percentile, rounded } from './harness/measure.mjs';
import { endChild, run, until } from './harness/processes.mjs';
import { smallRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';
import { MULTI_AGENT } from './harness/folders.mjs';
import { startSystem } from './harness/system.mjs';
import { startsIn } from './runner-start.mjs';

/** A task is sent out five times at most, and each kill costs one. */
const KILLS_PER_JOB = 3;
const ACK_WAIT_MS = 4_000;

/** (e) kill -9 of a coder in the middle of its task. */
export const recovery = {
  id: 'e',
  title: 'kill -9 of a coder → its task running again',
  how: `The coder's process is killed while its runner waits; measured until the runner has been started again. With PM2: by the daemon that PM2 starts anew. Without: by another coder, once the lease has run out (ack wait ${String(ACK_WAIT_MS)} ms here, 10,000 by default).`,
  run: async ({ quick }) => [
    await withScope((onEnd) => underPm2(onEnd, quick ? 6 : 21)),
    await withScope((onEnd) => forGood(onEnd, quick ? 6 : 21)),
  ],
};

async function underPm2(onEnd, kills) {
  const stage = await openStage(onEnd, { pm2: true });
  const pidOf = () => agentsOf(stage.system).find(({ id }) => id === 'coder-1').pid;
  const times = await killing(stage, kills, () => process.kill(pidOf(), 'SIGKILL'));
  const p50 = median(times);
  return {
    id: 'e.restarted',
    title: "kill -9 of a coder → its task running again, with PM2's restart, p50",
    figure: rounded(p50, 0),
    unit: 'ms',
    goal: '≤ 3000',
    met: p50 <= 3_000,
    detail: spread(times),
  };
}

async function forGood(onEnd, kills) {
  const stage = await openStage(onEnd, { coders: 0, environment: { MULTI_AGENT_ACK_WAIT_MS: String(ACK_WAIT_MS) } });
  const coders = new Map(['coder-1', 'coder-2'].map((id) => [id, startCoder(onEnd, stage.system, id)]));
  const times = await killing(stage, kills, async (jobId) => {
    const busy = await until(async () => (await stage.system.jobs.get(jobId)).job.task?.agentId);
    coders.get(busy).kill('SIGKILL');
    // One that comes back would say at once what it had in hand: so it comes back as another.
    const id = `coder-${String(coders.size + 1)}`;
    coders.set(id, startCoder(onEnd, stage.system, id));
  });
  const p99 = percentile(times, 99);
  return {
    id: 'e.for-good',
    title: 'kill -9 of a coder → its task running again, not restarted, p99',
    figure: rounded(p99, 0),
    unit: 'ms',
    goal: `≤ ${String(ACK_WAIT_MS + 1_000)} (ack wait + 1 s)`,
    met: p99 <= ACK_WAIT_MS + 1_000,
    detail: spread(times),
  };
}

async function openStage(onEnd, options) {
  const folder = await temporaryFolder(onEnd);
  const repository = await smallRepository(join(folder, 'repository'));
  const [stamps, hold] = [join(folder, 'stamps'), join(folder, 'hold')];
  const coder = `/usr/bin/env BENCH_STAMPS=${stamps} BENCH_HOLD=${hold} ${join(PROGRAMS, 'coder.sh')}`;
  const system = await startSystem(onEnd, { coder, reviewer: join(PROGRAMS, 'reviewer.sh'), ...options });
  return { system, repository, stamps, hold };
}

async function killing({ system, repository, stamps, hold }, kills, kill) {
  const times = [];
  while (times.length < kills) {
    await writeFile(hold, '');
    const { id, ended } = await system.submit(repository);
    const starts = async () => (await startsIn(stamps)).filter((start) => start.id === id);
    await until(async () => (await starts()).length === 1);
    for (let killed = 1; killed <= KILLS_PER_JOB && times.length < kills; killed++) {
      await kill(id);
      const at = Date.now();
      await until(async () => (await starts()).length > killed, { what: 'the next start' });
      times.push((await starts())[killed].at - at);
    }
    await rm(hold);
    await ended;
  }
  return times;
}

function startCoder(onEnd, { env, home }, id) {
  const environment = {
    PATH: env.PATH,
    HOME: env.HOME,
    AGENT_ID: id,
    MULTI_AGENT_HOME: home,
    MULTI_AGENT_ROLE_FILE: join(home, 'run', 'coder.env'),
  };
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'agents', 'coder', 'main.js')], { env: environment, stdio: 'ignore' });
  onEnd(() => endChild(child));
  return child;
}

/** The agents as `status` shows them. */
export function agentsOf({ env }) {
  return JSON.parse(run(process.execPath, [MULTI_AGENT, 'status', '--json'], { env })).agents;
}

function spread(times) {
  return { p50: rounded(median(times), 0), p99: rounded(percentile(times, 99), 0), kills: times.length };
}
