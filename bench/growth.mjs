import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { z } from 'zod';
import { PROGRAMS, product, temporaryFolder } from './harness/folders.mjs';
import { interleaved, median, pairedRatio, rounded } from './harness/measure.mjs';
import { startNats } from './harness/nats.mjs';
import { until } from './harness/processes.mjs';
import { smallRepository } from './harness/repositories.mjs';
import { withScope } from './harness/scope.mjs';
import { connect, requestFor, startSystem } from './harness/system.mjs';

const [FEW, MANY] = [100, 100_000];
/** Messages on their way at once while the store is filled. */
const IN_FLIGHT = 2_000;

/** (h) What is slower with a long history. */
export const growth = {
  id: 'h',
  title: `${MANY.toLocaleString('en')} finished jobs against ${String(FEW)}`,
  how: `Two servers, one with ${String(FEW)} finished jobs, one with ${MANY.toLocaleString('en')}: each with its request, its record and its last event, copies of a real job's with an id of their own, written straight into the streams. The operations are the product's own functions in this process, on either server in turn (a command adds the start of Node, which hides growth); "start" is \`up --foreground\` until the agents are ready.`,
  run: ({ quick }) => withScope((onEnd) => measure(onEnd, quick)),
};

async function measure(onEnd, quick) {
  const folder = await temporaryFolder(onEnd);
  const repository = await smallRepository(join(folder, 'repository'));
  const few = await openStore(onEnd, repository, FEW);
  const many = await openStore(onEnd, repository, MANY);
  const rounds = quick ? 100 : 400;
  const results = [];
  for (const [name, title, operation] of READING)
    results.push(await compare(name, title, few, many, (store) => () => operation(store), rounds));
  results.push(await compare('start', '`up --foreground` until ready', few, many, (store) => () => startAndStop(store), quick ? 3 : 7));
  // Last: from now on there are requests that nobody handles.
  results.push(await compare('submit', 'Submitting a request', few, many, (store) => () => submit(store), rounds));
  return results;
}

async function submit({ nc, jobs, repository, submitFeature }) {
  await submitFeature(nc, jobs, requestFor(repository));
}

const READING = [
  ['status', "Reading a job's status", async ({ jobs, ids }) => void (await jobs.get(ids[Math.floor(Math.random() * ids.length)]))],
  ['list', 'Listing the newest 20 jobs', async ({ jobs }) => void (await jobs.list({ limit: 20 }))],
  ['needs-me', 'Listing the jobs that wait for a person', async ({ jobs }) => void (await jobs.list({ limit: 20, needsMe: true }))],
  [
    'sweep',
    'Finding the jobs the sweep looks at, and acknowledged messages',
    async ({ open, jsm, removeAcknowledged }) => {
      await open.all();
      await removeAcknowledged(jsm);
    },
  ],
];

async function compare(id, title, few, many, wayOf, rounds) {
  const times = await interleaved(rounds, { few: wayOf(few), many: wayOf(many) }, { warmUps: Math.min(20, rounds) });
  const [small, large] = [median(times.few), median(times.many)];
  const figure = pairedRatio(times.many, times.few);
  return {
    id: `h.${id}`,
    title: `${title}, ${MANY.toLocaleString('en')} finished jobs against ${String(FEW)}`,
    figure: rounded(figure),
    unit: '×',
    goal: '≤ 1.2',
    met: figure <= 1.2,
    detail: { fewMs: rounded(small), manyMs: rounded(large) },
  };
}

/** A server with so many finished jobs in it, and nothing running on it. */
async function openStore(onEnd, repository, jobs) {
  const nats = await startNats(onEnd);
  const nc = await connect(onEnd, nats.url);
  const template = await runOneJob(nats.url, repository);
  const ids = await fill(nc, template, jobs - 1);
  const modules = await Promise.all(
    ['shared/messaging/job-reader', 'shared/messaging/submit', 'shared/messaging/bucket', 'shared/messaging/acknowledged'].map(product),
  );
  const [{ openJobReader }, { submitFeature }, { openBucket }, { removeAcknowledged }] = modules;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return {
    nats,
    nc,
    jsm,
    ids,
    repository,
    submitFeature,
    removeAcknowledged,
    jobs: await openJobReader(nc),
    open: await openBucket(nc, 'open', z.unknown()),
  };
}

/** A real one, to be copied: its request, its record and its last event. */
async function runOneJob(url, repository) {
  return withScope(async (onEnd) => {
    const system = await startSystem(onEnd, {
      coder: join(PROGRAMS, 'coder.sh'),
      reviewer: join(PROGRAMS, 'reviewer.sh'),
      environment: { NATS_URL: url },
    });
    const job = await system.runJob(repository);
    const jsm = await jetstreamManager(system.nc, { checkAPI: false });
    const read = async (stream, subject) => (await jsm.streams.getMessage(stream, { last_by_subj: subject })).string();
    return {
      id: job.id,
      request: await read('REQUESTS', `request.${job.id}`),
      record: await read('KV_jobs', `$KV.jobs.${job.id}`),
      event: await read('EVENTS', `event.${job.id}.FeatureResult`),
    };
  });
}

async function fill(nc, { id, request, record, event }, count) {
  const js = jetstream(nc);
  const ids = Array.from({ length: count }, () => `job-${ulid()}`);
  for (let at = 0; at < ids.length; at += IN_FLIGHT) {
    const batch = ids
      .slice(at, at + IN_FLIGHT)
      .flatMap((copy) => [
        js.publish(`request.${copy}`, request.replaceAll(id, copy), { timeout: 60_000 }),
        js.publish(`$KV.jobs.${copy}`, record.replaceAll(id, copy), { timeout: 60_000 }),
        js.publish(`event.${copy}.FeatureResult`, event.replaceAll(id, copy), { timeout: 60_000 }),
      ]);
    await Promise.all(batch);
    await acknowledge(js, batch.length / 3);
  }
  return ids;
}

/** What a repo-manager would have done: the requests are handled. */
async function acknowledge(js, count) {
  const consumer = await js.consumers.get('REQUESTS', 'repo-manager');
  let left = count;
  while (left > 0) {
    // No more are handed out than may be unacknowledged.
    for await (const message of await consumer.fetch({ max_messages: Math.min(left, 200), expires: 5_000 })) {
      message.ack();
      left -= 1;
    }
  }
  await until(async () => (await consumer.info(true)).num_ack_pending === 0, { what: 'the acknowledgements' });
}

/** How long `up` takes; what it started is ended again. */
async function startAndStop({ nats }) {
  return withScope(async (onEnd) => {
    const started = performance.now();
    await startSystem(onEnd, {
      coder: join(PROGRAMS, 'coder.sh'),
      reviewer: join(PROGRAMS, 'reviewer.sh'),
      environment: { NATS_URL: nats.url },
    });
    return performance.now() - started;
  });
}
