import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { MULTI_AGENT, product, temporaryFolder } from './folders.mjs';
import { startNats } from './nats.mjs';
import { endChild, run, until } from './processes.mjs';

/**
 * The product as it is built and as `up --foreground` runs it, on a nats-server of its own.
 *
 * `coder` and `reviewer` are the runners' command lines; `pm2: true` has PM2 run it instead.
 */
export async function startSystem(onEnd, { coders = 1, reviewers = 1, coder, reviewer, environment = {}, pm2 = false }) {
  const folder = await temporaryFolder(onEnd);
  const nats = environment.NATS_URL === undefined ? await startNats(onEnd) : { url: environment.NATS_URL };
  const home = join(folder, 'home');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    PM2_HOME: join(folder, 'pm2'),
    MULTI_AGENT_HOME: home,
    MULTI_AGENT_UNSAFE_NO_SANDBOX: '1',
    MULTI_AGENT_DRAIN_MS: '500',
    LOG_LEVEL: 'warn',
    NATS_URL: nats.url,
    CODER_COMMAND: coder,
    REVIEWER_COMMAND: reviewer,
    ...environment,
  };
  const counts = ['--coders', String(coders), '--reviewers', String(reviewers)];
  if (pm2) startUnderPm2(onEnd, env, counts);
  else await startForeground(onEnd, env, counts);
  const nc = await connect(onEnd, nats.url);
  return { env, home, nats, nc, ...(await submitterOn(nc)) };
}

async function startForeground(onEnd, env, counts) {
  const child = spawn(process.execPath, [MULTI_AGENT, 'up', '--foreground', '--json', ...counts], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onEnd(() => endChild(child));
  let [said, complained] = ['', ''];
  child.stdout.on('data', (chunk) => (said += chunk));
  child.stderr.on('data', (chunk) => (complained += chunk));
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`"up" ended with ${String(child.exitCode)}: ${complained}`);
      return said.includes('\n');
    },
    { what: '"up"', everyMs: 20 },
  );
}

function startUnderPm2(onEnd, env, counts) {
  onEnd(() => run(process.execPath, [join(MULTI_AGENT, '../../../node_modules/pm2/bin/pm2'), 'kill', '--silent'], { env }));
  onEnd(() => run(process.execPath, [MULTI_AGENT, 'down'], { env }));
  run(process.execPath, [MULTI_AGENT, 'up', '--json', ...counts], { env });
}

/** A connection of the benchmark's own. */
export async function connect(onEnd, url) {
  const { connectNats } = await product('shared/messaging/connection');
  const nc = await connectNats({ url, name: 'bench' });
  onEnd(() => nc.close());
  return nc;
}

/** Submits jobs and tells when they have ended. */
export async function submitterOn(nc) {
  const { openJobReader } = await product('shared/messaging/job-reader');
  const { submitFeature } = await product('shared/messaging/submit');
  const jobs = await openJobReader(nc);
  const waiting = new Map();
  // Its last event comes after all else there is to do for a job.
  nc.subscribe('event.*.FeatureResult', { callback: (_error, { subject }) => waiting.get(subject.split('.')[1])?.() });
  const submit = async (repository, description = 'Do it.') => {
    const request = requestFor(repository, description);
    const ended = new Promise((resolve) => waiting.set(request.jobId, resolve)).finally(() => waiting.delete(request.jobId));
    await submitFeature(nc, jobs, request);
    return { id: request.jobId, storedAt: Date.now(), ended };
  };
  return {
    jobs,
    submit,
    /** A whole job. @throws Error when it is not merged */
    runJob: async (repository, description) => {
      const { id, ended } = await submit(repository, description);
      await ended;
      const { job } = await jobs.get(id);
      if (job.status !== 'COMPLETED') throw new Error(`${id} is ${job.status}: ${JSON.stringify(job.error)}`);
      return job;
    },
  };
}

export function requestFor(repository, description = 'Do it.') {
  return {
    v: 1,
    type: 'FeatureRequest',
    jobId: `job-${ulid()}`,
    priority: 'normal',
    repository: { kind: 'local', url: repository },
    feature: { title: 'A feature', description, requirements: [], acceptanceCriteria: [] },
    workflow: { merge: 'auto', maxRounds: 3, timeoutMs: 3_600_000 },
    submittedAt: Date.now(),
  };
}
