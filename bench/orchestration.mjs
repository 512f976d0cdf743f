import { jetstreamManager } from '@nats-io/jetstream';
import { product, temporaryFolder } from './harness/folders.mjs';
import { interleaved, median, rounded } from './harness/measure.mjs';
import { startNats } from './harness/nats.mjs';
import { createPrograms } from './harness/programs.mjs';
import { installBullMq, loadBullMq, startRedis } from './harness/redis.mjs';
import { withScope } from './harness/scope.mjs';
import { Skipped } from './harness/skip.mjs';
import { connect, submitterOn } from './harness/system.mjs';

/** Jobs in flight. */
const LEVELS = [1, 16];
const HOPS = 3;

/** (b) Orchestration alone: whole jobs whose git, forge and runners take no time. */
export const orchestration = {
  id: 'b',
  title: 'Orchestration without git against three hops on BullMQ and on bare JetStream',
  how: `Ours: whole jobs through the real repo-manager and the real work loops of coder and reviewer, three processes, with a forge, commits and workers that answer at once. BullMQ: three queues on Redis (append-only file, fsync every second), a worker process each, which hands on to the next. Bare JetStream: three work-queue subjects, a process each, explicit ack after the next publish is acknowledged. Jobs a second, ours over theirs, in turn.`,
  run: ({ quick, skip }) =>
    withScope((onEnd) => {
      const programs = createPrograms(onEnd);
      return Promise.race([measure(onEnd, programs, quick, skip), programs.died]);
    }),
};

async function measure(onEnd, programs, quick, skip) {
  const { createKnownCommits } = await product('agents/repo-manager/known-commits');
  const commits = await product('agents/repo-manager/commits').catch(() => undefined);
  if (createKnownCommits === undefined || commits === undefined) throw new Skipped('this build has no way to take git out');
  const ways = { ours: await openOurs(onEnd, programs), hops: await openHops(onEnd, programs) };
  try {
    ways.bullmq = await openBullMq(onEnd, programs);
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    skip('b.bullmq', error.message);
  }
  const results = [];
  for (const atOnce of LEVELS) results.push(...(await compare(ways, atOnce, quick)));
  return results;
}

async function compare(ways, atOnce, quick) {
  const jobs = (quick ? 60 : 300) * (atOnce === 1 ? 1 : 4);
  const runs = Object.fromEntries(Object.entries(ways).map(([name, runOne]) => [name, () => inFlight(atOnce, jobs, runOne)]));
  const times = await interleaved(quick ? 3 : 7, runs, { warmUps: 2 });
  const rate = (name) => (jobs * 1_000) / median(times[name]);
  const detail = Object.fromEntries(Object.keys(ways).map((name) => [`${name}PerSecond`, rounded(rate(name), 0)]));
  const against = (name, title, goal) => ({
    id: `b.${name}-${String(atOnce)}`,
    title: `Orchestration against three hops on ${title}, ${String(atOnce)} in flight`,
    figure: rounded(rate('ours') / rate(name)),
    unit: '×',
    goal: goal ?? 'none',
    met: goal === undefined ? true : rate('ours') >= rate(name),
    detail,
  });
  return [...(ways.bullmq ? [against('bullmq', 'BullMQ', '≥ 1.0')] : []), against('hops', 'bare JetStream')];
}

async function inFlight(atOnce, jobs, runOne) {
  let left = jobs;
  const worker = async () => {
    while (left-- > 0) await runOne();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function openOurs(onEnd, programs) {
  const { url } = await startNats(onEnd);
  const home = await temporaryFolder(onEnd);
  const nc = await connect(onEnd, url);
  const { provisionTopology } = await product('shared/messaging/provision');
  await provisionTopology(nc, { ackWaitMs: 10_000 });
  for (const role of ['repo-manager', 'coder', 'reviewer'])
    await programs.start('gitless-agent.mjs', role, url, home, String(Math.max(...LEVELS)));
  const { submit } = await submitterOn(nc);
  return async () => (await submit('/nowhere')).ended;
}

async function openHops(onEnd, programs) {
  const { url } = await startNats(onEnd);
  const nc = await connect(onEnd, url);
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: 'HOPS', subjects: ['hop.>'], retention: 'workqueue' });
  for (let hop = 1; hop <= HOPS; hop++) await programs.start('hop-worker.mjs', url, String(hop), String(HOPS), String(Math.max(...LEVELS)));
  const waiting = new Map();
  nc.subscribe('done.*', { callback: (_error, { subject }) => waiting.get(subject.slice(5))?.() });
  const js = jsm.jetstream();
  let count = 0;
  return async () => {
    const id = String((count += 1));
    const ended = new Promise((resolve) => waiting.set(id, resolve)).finally(() => waiting.delete(id));
    await js.publish(`hop.1.${id}`, JSON.stringify({ id, title: 'A feature' }), { msgID: id });
    await ended;
  };
}

async function openBullMq(onEnd, programs) {
  const socket = await startRedis(onEnd);
  const folder = await installBullMq(onEnd);
  const { Queue, QueueEvents } = loadBullMq(folder);
  for (let hop = 1; hop <= HOPS; hop++)
    await programs.start('bullmq-worker.mjs', folder, socket, String(hop), String(HOPS), String(Math.max(...LEVELS)));
  const connection = { path: socket, maxRetriesPerRequest: null };
  const queue = new Queue('hop-1', { connection });
  const events = new QueueEvents(`hop-${String(HOPS)}`, { connection });
  onEnd(async () => {
    await queue.close();
    await events.close();
  });
  await events.waitUntilReady();
  const waiting = new Map();
  events.on('completed', ({ returnvalue }) => waiting.get(returnvalue)?.());
  let count = 0;
  return async () => {
    const id = `job-${String((count += 1))}`;
    const ended = new Promise((resolve) => waiting.set(id, resolve)).finally(() => waiting.delete(id));
    await queue.add('job', { id, title: 'A feature' });
    await ended;
  };
}
