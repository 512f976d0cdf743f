import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { DEFAULT_WORKFLOW } from '../../../src/shared/domain/feature.ts';
import { isTerminal } from '../../../src/shared/domain/job.ts';
import { Heartbeat } from '../../../src/shared/messages/agent.ts';
import { api } from '../../../src/shared/messaging/api-subjects.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { permissionsOf } from '../../../src/shared/messaging/permissions.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { bucketPlans, bucketPrefix, BUCKETS, STREAMS, streamPlans } from '../../../src/shared/messaging/topology.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { ensureUsers } from '../../../src/shared/nats-server/identities.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import { refusalsIn } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';
import { attemptsOf, covers, exampleOf } from './attempts.ts';

jest.setTimeout(90_000);

const MANUAL = { ...DEFAULT_WORKFLOW, merge: 'manual' as const };
const CANARY = 'canary-of-the-code-5d1e';
/** Somebody has the identity of this coder, and does with it what it likes. */
const ATTACKER = 'coder-2';
const STREAMS_OF_ALL = [
  ...streamPlans.map(({ name }) => name),
  ...bucketPlans.map(({ name, kind }) => (kind === 'kv' ? `KV_${name}` : `OBJ_${name}`)),
];

let system: InProcessSystem;
let attacker: NatsConnection;

beforeAll(async () => {
  system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs', refusalsExpected: true });
  attacker = await connectNats({ ...system.nats.as(ATTACKER), name: 'attacker' });
});
afterAll(async () => {
  await attacker.close();
  await system.stop();
});

/** What an attacker with the rights of a coder would like to have said, changed or deleted. */
function targetsOf(jobId: string): string[] {
  return [
    subjects.input('reviewer', jobId),
    subjects.input('command', jobId),
    subjects.request(jobId),
    subjects.task('reviewer', 'urgent'),
    subjects.event(jobId, 'FeatureResult'),
    subjects.dead('repo-manager'),
    `${bucketPrefix(BUCKETS.jobs)}${jobId}`,
    `${bucketPrefix(BUCKETS.open)}${jobId}`,
    `${bucketPrefix(BUCKETS.agents)}reviewer-1`,
    ...STREAMS_OF_ALL.flatMap((stream) => [api.streamPurge(stream), `$JS.API.STREAM.DELETE.${stream}`]),
  ];
}

/**
 * Publishes to all that the attacker may, each time with another's subject for the answer: the server would send it there with its own
 * rights, and what is in it can be chosen (a value written to one's own key, and read).
 */
async function sendAnswersTo(nc: NatsConnection, targets: readonly string[]): Promise<void> {
  // Tasks it could take like any coder, and keep: that is not what this is about.
  const may = permissionsOf(ATTACKER)
    .publish.filter((subject) => !subject.includes('MSG.NEXT'))
    .map(exampleOf);
  for (const reply of targets) {
    for (const subject of may)
      nc.publish(subject, JSON.stringify({ last_by_subj: `${bucketPrefix(BUCKETS.agents)}${ATTACKER}` }), { reply });
  }
  await nc.flush();
}

describe('an attacker with the identity of a coder', () => {
  it('has nothing stored, changed or deleted that is not its own, by whatever it publishes and wherever it has the answers sent', async () => {
    const jobId = await system.submit({ repository: { kind: 'local', url: await makeRepository() } });
    await system.finished(jobId);
    await until('the job is closed', async () => !(`${bucketPrefix(BUCKETS.open)}${jobId}` in (await othersIn(system.nc))));
    const before = await othersIn(system.nc);

    await attemptsOf(attacker).publish(targetsOf(jobId), { payload: '{"type":"ReviewResult"}' });
    await sendAnswersTo(attacker, targetsOf(jobId));

    expect(await othersIn(system.nc)).toEqual(before);
    expect(Object.keys(before)).toEqual(expect.arrayContaining([subjects.request(jobId), `${bucketPrefix(BUCKETS.jobs)}${jobId}`]));
  });

  it('would have, if permissions were all there is', async () => {
    const server = await startNatsServer({ extra: await sameInOneAccount(system.nats.folder) });
    const open = { url: server.url, nkeyFile: join(system.nats.folder, 'provisioner.nk') };
    const all = await connectNats({ ...open, name: 'all' });
    await provisionTopology(all);
    const one = await connectNats({ ...system.nats.as(ATTACKER), url: server.url, name: 'attacker' });
    const jobId = `job-${ulid()}`;
    const record = `${bucketPrefix(BUCKETS.jobs)}${jobId}`;
    all.publish(record, 'the truth');
    await all.flush();
    const before = await othersIn(all);

    await sendAnswersTo(one, [record, subjects.input('command', jobId)]);
    const forged = await othersIn(all);
    await sendAnswersTo(one, [api.streamPurge(`KV_${BUCKETS.jobs}`)]);
    const purged = await othersIn(all);

    expect(Object.keys(before)).toEqual([record]);
    expect(forged[record]).toBeGreaterThan(before[record] ?? 0);
    expect(Object.keys(forged)).toContain(subjects.input('command', jobId));
    expect(Object.keys(purged)).not.toContain(record);
    await Promise.all([all.close(), one.close()]);
    await server.stop();
  });

  it('reads nothing of a job that it has no part in, and cannot keep it from being merged as it was reviewed', async () => {
    const repository = await makeRepository({ 'secret.txt': CANARY });
    const heard: string[] = [];
    for (const subject of ['>', '_INBOX.>', '_INBOX_coder-1.>', 'task.>', subjects.input('coder', '*')])
      attacker.subscribe(subject, {
        callback: (error, message) => {
          if (!error) heard.push(message.subject);
        },
      });
    const jobId = await system.submit({ repository: { kind: 'local', url: repository } });
    const read: string[] = [];
    const over = new AbortController();

    const attack = (async () => {
      while (!over.signal.aborted) {
        read.push(...(await everythingReadable(attacker)));
        for (let seq = 1; seq <= 12; seq++) acknowledgeUnseen(attacker, seq);
        await sendAnswersTo(attacker, targetsOf(jobId));
      }
    })();
    const job = await system.finished(jobId, 60_000).finally(() => {
      over.abort();
    });
    await attack;

    expect(job.status).toBe('COMPLETED');
    expect(git(repository, 'rev-parse', 'main^2')).toBe(job.reviews.at(-1)?.headCommit);
    expect(heard).toEqual([]);
    expect(read.length).toBeGreaterThan(0);
    expect(read.join('\n')).not.toContain(CANARY);
    expect(read.join('\n')).not.toContain('bundleKey');
  });

  it('cannot pass off, as the work on a task that it was not given, a commit that is there already', async () => {
    const repository = await makeRepository();
    const elsewhere = await system.submit({ repository: { kind: 'local', url: repository }, workflow: MANUAL });
    const { headCommit, baseCommit } = await system.jobWhen(elsewhere, ({ status }) => status === 'WAITING_APPROVAL');
    const gate = join(repository, '..', `${ulid()}.gate`);
    const jobId = await system.submit(scriptedRequest(repository, { waitFor: gate, files: { 'mine.txt': 'mine\n' } }));
    const { task } = await system.jobWhen(jobId, (job) => job.task?.attempt !== undefined);
    const name = `app/${task?.id ?? ''}.1.${ATTACKER}.${'0'.repeat(32)}.out`;
    const bundle = { name, sha256: '0'.repeat(64), sizeBytes: 1, tip: headCommit };
    const said = { summary: 'forged', commits: [], filesChanged: [], checks: [], usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 } };
    const forged = { v: 1, type: 'ImplementationResult', jobId, taskId: task?.id, dispatch: 1, attempt: 1, agentId: 'coder-1', at: 1 };

    attacker.publish(subjects.input('coder', jobId), JSON.stringify({ ...forged, bundle, startCommit: baseCommit, headCommit, ...said }));
    // A bundle that is not there may have been lost with the server's last writes: the work is done again, by whoever is given it.
    const again = await system.jobWhen(jobId, (job) => job.task?.dispatch === 2 && job.task.attempt > 1);
    await writeFile(gate, '');
    const job = await system.jobWhen(jobId, ({ status, pending }) => isTerminal(status) && pending.length === 0);

    expect(again).not.toHaveProperty('headCommit');
    expect(job).toMatchObject({ status: 'COMPLETED', filesChanged: [{ path: 'mine.txt' }] });
    expect(git(repository, 'log', 'main', '--format=%H %s').split(/\s/)).not.toEqual(expect.arrayContaining([headCommit]));
    await rm(gate);
  });

  it('cannot speak for a job by what it sends as a coder', async () => {
    const jobId = await system.submit({ repository: { kind: 'local', url: await makeRepository() }, workflow: MANUAL });
    const waiting = await system.jobWhen(jobId, ({ status }) => status === 'WAITING_APPROVAL');
    const head = { v: 1, jobId, at: Date.now(), dispatch: 1, attempt: 1 };
    const headCommit = waiting.headCommit ?? '';
    const review = { round: 1, headCommit, decision: 'APPROVE', summary: 'fine', comments: [] };
    const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
    const forged = [
      { ...head, type: 'ApproveJob', commandId: ulid(), headCommit },
      { ...head, type: 'StopJob', commandId: ulid() },
      { ...head, type: 'ReviewResult', taskId: `${jobId}.review.1`, agentId: 'reviewer-1', review, usage },
      { ...head, type: 'ReviewResult', taskId: `${jobId}.implement.1`, agentId: ATTACKER, review, usage },
    ];
    const jsm = await jetstreamManager(system.nc, { checkAPI: false });
    const before = (await jsm.streams.info(STREAMS.dead)).state.last_seq;

    for (const message of forged) attacker.publish(subjects.input('coder', jobId), JSON.stringify(message));
    await until(
      'all of them are dead letters',
      async () => (await jsm.streams.info(STREAMS.dead)).state.last_seq >= before + forged.length,
    );

    expect(await system.job(jobId)).toMatchObject({ status: 'WAITING_APPROVAL', reviews: waiting.reviews, commands: waiting.commands });
  });
});

it('nobody of the system itself meets a refusal', async () => {
  const refusals = await refusalsIn(system.nats.log);

  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.filter((line) => !line.includes(`"${ATTACKER}"`) && !isOf(attacker, line))).toEqual([]);
});

/** The last message of every subject that is not the attacker's own to write, by its sequence: another one is another message. */
async function othersIn(nc: NatsConnection): Promise<Record<string, number>> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const own = permissionsOf(ATTACKER).publish;
  // What it sends to the repo-manager, and that one can't read, becomes a dead letter.
  const isItsOwn = (subject: string): boolean =>
    subject === subjects.dead('repo-manager') || own.some((pattern) => covers(pattern, subject));
  const found: Record<string, number> = {};
  for (const stream of STREAMS_OF_ALL) {
    const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
    for (const subject of Object.keys(state.subjects ?? {}).filter((one) => !isItsOwn(one))) {
      const message = await jsm.streams.getMessage(stream, { last_by_subj: subject });
      // Heartbeats are written anew all the time: whether one is readable tells whose it is.
      const beats = subject.startsWith(bucketPrefix(BUCKETS.agents));
      found[subject] = beats ? Number(Heartbeat.safeParse(message?.json()).success) : (message?.seq ?? 0);
    }
  }
  return found;
}

/** All that the calls open to a coder give, of every stream. */
async function everythingReadable(nc: NatsConnection): Promise<string[]> {
  const found: string[] = [];
  for (const stream of STREAMS_OF_ALL.filter((name) => permissionsOf(ATTACKER).publish.includes(api.messageGet(name)))) {
    for (let seq = 1; seq <= 60; seq++) {
      const answer = await nc.request(api.messageGet(stream), JSON.stringify({ seq }), { timeout: 5_000 }).catch(() => null);
      const data = answer?.json<{ message?: { data?: string } }>().message?.data;
      if (data !== undefined) found.push(Buffer.from(data, 'base64').toString('latin1'));
    }
  }
  return found;
}

/** As if the task with this number had been its own to answer. */
function acknowledgeUnseen(nc: NatsConnection, seq: number): void {
  nc.publish(`$JS.ACK.${STREAMS.tasks}.coder-normal.1.${String(seq)}.${String(seq)}.${String(Date.now())}000000.0`, '+ACK');
}

/** Everybody's permissions as they are, but all in one account. The provisioner may do everything, to look. */
async function sameInOneAccount(folder: string): Promise<string> {
  const users = await ensureUsers(folder, []);
  const rendered = users.map(({ identity, publicKey }) => {
    const { publish, subscribe } = permissionsOf(identity);
    const limits = `permissions: { publish: { allow: ${JSON.stringify(publish)} }, subscribe: { allow: ${JSON.stringify(subscribe)} } }`;
    return `{ nkey: ${publicKey}${identity === 'provisioner' ? '' : `, ${limits}`} }`;
  });
  return `authorization { users: [ ${rendered.join('\n')} ] }`;
}

function isOf(nc: NatsConnection, line: string): boolean {
  return line.includes(`cid:${String(nc.info?.client_id ?? -1)} `);
}
