import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { z } from 'zod';
import { RetryableError, TerminalError } from '../../../src/shared/errors/errors.ts';
import { DeadLetter, Heartbeat } from '../../../src/shared/messages/agent.ts';
import { LogBatch } from '../../../src/shared/messages/log-batch.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { removeAcknowledged } from '../../../src/shared/messaging/acknowledged.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { bundleKeyOf, openBundleStore } from '../../../src/shared/messaging/bundle-store.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { consume, type ConsumeOptions } from '../../../src/shared/messaging/consume.ts';
import { deliveredMessages } from '../../../src/shared/messaging/delivered.ts';
import { publishDeadLetter } from '../../../src/shared/messaging/dead-letters.ts';
import { startHeartbeat } from '../../../src/shared/messaging/heartbeat.ts';
import { createLogWriter, TASK_LIMIT_CHARACTERS } from '../../../src/shared/messaging/log-writer.ts';
import { compareTopology, provisionTopology, requireTopology } from '../../../src/shared/messaging/provision.ts';
import { publishUntilAcknowledged } from '../../../src/shared/messaging/publish.ts';
import { createTaskPuller } from '../../../src/shared/messaging/pull.ts';
import { BUCKETS, consumerPlans, REPO_MANAGER_CONSUMER, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { until } from '../../support/until.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let jsm: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer({ credential: true });
  nc = await connectNats({ url: server.url, nkeyFile: server.nkeyFile, name: 'test', patience: 'forever' });
  await provisionTopology(nc, { ackWaitMs: 1_000 });
  jsm = await jetstreamManager(nc);
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

const never = (error: unknown): void => {
  throw error instanceof Error ? error : new Error(String(error));
};

describe('connectNats', () => {
  it('gives up on a server that is not there, and says what to start', async () => {
    await expect(connectNats({ url: 'nats://127.0.0.1:1', name: 'x', patience: 500 })).rejects.toMatchObject({
      code: 'nats_unreachable',
      message: expect.stringContaining('multi-agent up'),
    });
  });

  it('says that the credential is refused', async () => {
    await expect(connectNats({ url: server.url, name: 'x', patience: 2_000 })).rejects.toMatchObject({ code: 'nats_refused' });
  });
});

describe('the topology', () => {
  it('is what was provisioned, and provisioning it again changes nothing', async () => {
    await provisionTopology(nc, { ackWaitMs: 1_000 });

    expect(await compareTopology(nc, { ackWaitMs: 1_000 })).toEqual([]);
  });

  it('is refused with every difference, and mended', async () => {
    const events = (await jsm.streams.info(STREAMS.events)).config;
    await jsm.streams.update(STREAMS.events, { ...events, max_age: 600_000_000_000 });
    await jsm.consumers.delete(STREAMS.tasks, 'coder-low');

    await expect(requireTopology(nc)).rejects.toMatchObject({
      code: 'topology_differs',
      message: expect.stringMatching(/stream EVENTS: max_age is 600000000000[\s\S]*consumer coder-low of TASKS: existence is "missing"/),
    });
    await provisionTopology(nc, { ackWaitMs: 1_000 });
    await expect(requireTopology(nc)).resolves.toBeUndefined();
  });
});

describe('publishUntilAcknowledged', () => {
  it('stores a message once, however often it is sent with the same id', async () => {
    const js = jetstream(nc);
    const subject = subjects.event(`job-${ulid()}`, 'Test');

    const first = await publishUntilAcknowledged(js, subject, { a: 1 }, { messageId: subject });
    const second = await publishUntilAcknowledged(js, subject, { a: 1 }, { messageId: subject });

    expect(second).toMatchObject({ seq: first.seq, duplicate: true });
  });

  it('says at once what the server refuses', async () => {
    const js = jetstream(nc);
    const subject = subjects.request(`job-${ulid()}`);
    await publishUntilAcknowledged(js, subject, { a: 1 }, { lastSubjectSequence: 0 });

    await expect(publishUntilAcknowledged(js, subject, { a: 2 }, { lastSubjectSequence: 0 })).rejects.toMatchObject({ code: 10071 });
  });

  it('goes on through a server that is killed and comes back', async () => {
    const subject = subjects.event(`job-${ulid()}`, 'Test');
    await server.kill9();
    const publishing = publishUntilAcknowledged(jetstream(nc), subject, { a: 1 }, { messageId: subject });

    await server.restart();
    const stored = await publishing;

    expect(await jsm.streams.getMessage(STREAMS.events, { seq: stored.seq })).toMatchObject({ subject });
  });

  it('ends when its signal aborts', async () => {
    const subject = subjects.event(`job-${ulid()}`, 'Test');

    await expect(publishUntilAcknowledged(jetstream(nc), subject, {}, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });
});

describe('a bucket', () => {
  const Value = z.strictObject({ n: z.number() });

  it('lets exactly one of many writers win', async () => {
    const bucket = await openBucket(nc, BUCKETS.locks, Value);
    const key = ulid();
    const revision = (await bucket.create(key, { n: 0 })) ?? 0;

    const results = await Promise.all(Array.from({ length: 20 }, (_, n) => bucket.update(key, { n }, revision)));

    expect(results.filter((result) => result !== null)).toHaveLength(1);
    expect(await bucket.create(key, { n: 1 })).toBeNull();
  });

  it('removes the revision that was read and no other, and leaves nothing behind', async () => {
    const bucket = await openBucket(nc, BUCKETS.locks, Value);
    const key = ulid();
    const first = (await bucket.create(key, { n: 0 })) ?? 0;
    const second = (await bucket.update(key, { n: 1 }, first)) ?? 0;

    expect(await bucket.remove(key, first)).toBe(false);
    expect(await bucket.remove(key, second)).toBe(true);
    expect(await bucket.get(key)).toBeNull();
    expect((await bucket.all()).map((entry) => entry.key)).not.toContain(key);
    expect(await bucket.create(key, { n: 2 })).not.toBeNull();
  });

  it('refuses a value that is not what it should be, and shows the others all the same', async () => {
    const bucket = await openBucket(nc, BUCKETS.locks, Value);
    const loose = await openBucket(nc, BUCKETS.locks, z.unknown());
    const [key, good] = [ulid(), ulid()];
    await loose.put(key, { n: 'one' });
    await bucket.put(good, { n: 1 });

    await expect(bucket.get(key)).rejects.toThrow('expected number');
    expect((await bucket.all()).map((listed) => listed.key)).toEqual(expect.arrayContaining([good]));
    const entry = await loose.get(key);
    await loose.remove(key, entry?.revision ?? 0);
  });
});

describe('consume', () => {
  const options = (handle: ConsumeOptions['handle'], buried: string[] = []): ConsumeOptions => ({
    stream: STREAMS.inputs,
    consumer: REPO_MANAGER_CONSUMER,
    prefetch: 4,
    rules: { maxDeliveries: 2, retryForever: false },
    workingEveryMs: 200,
    handle,
    bury: (_delivery, reason) => Promise.resolve(void buried.push(reason.code)),
    onError: never,
  });

  it('delivers again what failed, buries what is hopeless, and empties the queue', async () => {
    const seen: string[] = [];
    const buried: string[] = [];
    const handle: ConsumeOptions['handle'] = (delivery) => {
      const text = new TextDecoder().decode(delivery.data);
      seen.push(`${text}${String(delivery.deliveries)}`);
      if (text === 'retry' && delivery.deliveries === 1) throw new RetryableError('busy', 'Busy.', { retryAfterMs: 10 });
      if (text === 'hopeless') throw new TerminalError('hopeless', 'No.');
      if (text === 'never') throw new RetryableError('busy', 'Busy.', { retryAfterMs: 10 });
      return Promise.resolve();
    };
    const consuming = await consume(
      nc,
      options((delivery) => Promise.resolve().then(() => handle(delivery)), buried),
    );
    for (const text of ['fine', 'retry', 'hopeless', 'never']) nc.publish(subjects.input('command', `job-${ulid()}`), text);

    await until('INPUTS is empty', async () => (await jsm.streams.info(STREAMS.inputs)).state.messages === 0);
    await consuming.stop();

    expect(seen.sort()).toEqual(['fine1', 'hopeless1', 'never1', 'never2', 'retry1', 'retry2']);
    expect(buried.sort()).toEqual(['busy', 'hopeless']);
  });

  it('keeps a message for itself as long as it works on it, and waits for it when it stops', async () => {
    const deliveries: number[] = [];
    let finish: () => void = () => undefined;
    const consuming = await consume(
      nc,
      options(async (delivery) => {
        deliveries.push(delivery.deliveries);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }),
    );
    nc.publish(subjects.input('command', `job-${ulid()}`), 'slow');
    await until('it is in hand', () => deliveries.length === 1);
    const startedAt = performance.now();
    await until('two leases are over', () => performance.now() - startedAt > 2_200);

    const stopping = consuming.stop();
    finish();
    await stopping;

    expect(deliveries).toEqual([1]);
    expect((await jsm.streams.info(STREAMS.inputs)).state.messages).toBe(0);
  });
});

describe('the removal of what was acknowledged', () => {
  it('leaves what is still to be done', async () => {
    for (const text of ['done', 'handed back', 'waiting']) nc.publish(subjects.task('reviewer', 'high'), text);
    await nc.flush();
    const puller = createTaskPuller(nc, 'reviewer', never);
    const done = await puller.next(AbortSignal.timeout(5_000));
    await done.ack();
    const back = await puller.next(AbortSignal.timeout(5_000));
    back.nak();
    await nc.flush();

    const removed = await removeAcknowledged(jsm);
    const { state } = await jsm.streams.info(STREAMS.tasks);
    // What was handed back just before is still delivered again.
    for (let i = 0; i < 2; i++) await (await puller.next(AbortSignal.timeout(3_000))).ack();

    expect([removed, state.messages]).toEqual([0, 2]);
    expect((await jsm.streams.info(STREAMS.tasks)).state.messages).toBe(0);
  });
});

describe('what a consumer has been given', () => {
  /** As a server is that was killed: asked by subjects, it does not know one of its messages. */
  const forgetting = (lost: number): JetStreamManager =>
    Object.assign(Object.create(jsm) as JetStreamManager, {
      direct: {
        getMessage: (stream: string, query: { seq: number; next_by_subj: string }) =>
          jsm.direct.getMessage(stream, query.next_by_subj !== '>' && query.seq <= lost ? { ...query, seq: lost + 1 } : query),
      },
    });

  it('is found though the index of subjects lacks it, and what waits is not', async () => {
    const plan = consumerPlans.find(({ filter }) => filter === subjects.task('reviewer', 'high'));
    if (plan === undefined) throw new Error('there is no such consumer');
    const js = jetstream(nc);
    const acks: number[] = [];
    for (const [role, text] of [
      ['coder', 'of others'],
      ['reviewer', 'first'],
      ['reviewer', 'second'],
      ['reviewer', 'third'],
    ] as const)
      acks.push((await js.publish(subjects.task(role, 'high'), text)).seq);
    const [others = 0, first = 0, second = 0, third = 0] = acks;
    const puller = createTaskPuller(nc, 'reviewer', never);
    const given = [await puller.next(AbortSignal.timeout(5_000)), await puller.next(AbortSignal.timeout(5_000))];

    const found: number[] = [];
    for await (const { seq } of deliveredMessages(forgetting(first), plan, second)) found.push(seq);

    for (const delivery of given) await delivery.term();
    for (const seq of [others, third]) await jsm.streams.deleteMessage(STREAMS.tasks, seq);
    expect(given.map(({ streamSeq }) => streamSeq)).toEqual([first, second]);
    expect(found).toEqual([second, first]);
  });
});

describe('a dead letter', () => {
  it('is one for as long as it is kept, however late its message is buried again', async () => {
    const { config } = await jsm.streams.info(STREAMS.dead);

    expect(config.max_age).toBeGreaterThan(0);
    expect(config.duplicate_window).toBe(config.max_age);
  });
});

describe('the bundle store', () => {
  const taskId = `job-${ulid()}.implement.1`;
  const key = bundleKeyOf(Buffer.from('secret'), taskId, 1);
  const tip = 'a'.repeat(40);

  it('gives back what was stored, to whoever has the key', async () => {
    const store = await openBundleStore(nc, 'coder-1');
    const ref = await store.put(`app/${taskId}.1.in`, Buffer.from('a bundle'), key, tip);

    expect(Buffer.from(await store.get(ref, key)).toString()).toBe('a bundle');
    await expect(store.get(ref, bundleKeyOf(Buffer.from('other'), taskId, 1))).rejects.toMatchObject({ code: 'bundle_refused' });
  });

  it('refuses what is not what was announced, and says what is gone', async () => {
    const store = await openBundleStore(nc, 'coder-1');
    const ref = await store.put(`app/${taskId}.2.in`, Buffer.from('one'), key, tip);
    const other = await store.put(`app/${taskId}.3.in`, Buffer.from('two'), key, tip);

    await expect(store.get({ ...ref, name: other.name }, key)).rejects.toMatchObject({ code: 'bundle_refused' });
    await expect(store.get({ ...ref, sha256: other.sha256 }, key)).rejects.toMatchObject({ code: 'bundle_refused' });
    await expect(store.get({ ...ref, sizeBytes: 2 ** 31 }, key)).rejects.toMatchObject({ code: 'bundle_refused' });
    await expect(store.get({ ...ref, sizeBytes: ref.sizeBytes + 1 }, key)).rejects.toMatchObject({ code: 'bundle_refused' });
    await store.remove([ref.name, ref.name, `app/${taskId}.9.in`]);
    await expect(store.get(ref, key)).rejects.toMatchObject({ code: 'bundle_missing' });
    await expect(store.get({ ...other, name: `app/${taskId}.3.in` }, key)).rejects.toMatchObject({ code: 'bundle_missing' });
    expect(Buffer.from(await store.get(other, key)).toString()).toBe('two');
  });

  it('keeps what is stored twice under one name apart, and removes both by that name', async () => {
    const store = await openBundleStore(nc, 'coder-1');
    const name = `app/${taskId}.4.out`;
    const refs = [await store.put(name, Buffer.from('one'), key, tip), await store.put(name, Buffer.from('two'), key, tip)];

    const texts = await Promise.all(refs.map(async (ref) => Buffer.from(await store.get(ref, key)).toString()));
    await store.remove([name]);

    expect(texts).toEqual(['one', 'two']);
    for (const ref of refs) await expect(store.get(ref, key)).rejects.toMatchObject({ code: 'bundle_missing' });
  });

  it('reads a bundle of many chunks without a consumer', async () => {
    const store = await openBundleStore(nc, 'coder-1');
    const large = randomBytes(5 * 1024 * 1024 + 1);
    const ref = await store.put(`app/${taskId}.5.out`, large, key, tip);

    const found = await store.get(ref, key);

    const { state } = await jsm.streams.info(`OBJ_${BUCKETS.bundles}`);
    expect(Buffer.compare(found, large)).toBe(0);
    expect(state.consumer_count).toBe(0);
    await store.remove([ref.name]);
  });

  it('keeps nothing readable on the server', async () => {
    const store = await openBundleStore(nc, 'coder-1');
    await store.put(`app/${taskId}.3.in`, Buffer.from('canary-7f3a'), key, tip);
    const { state } = await jsm.streams.info(`OBJ_${BUCKETS.bundles}`);

    const texts: string[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await jsm.streams.getMessage(`OBJ_${BUCKETS.bundles}`, { seq }).catch(() => null);
      if (message) texts.push(Buffer.from(message.data).toString('latin1'));
    }
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.join('\n')).not.toContain('canary-7f3a');
  });
});

describe('a log writer', () => {
  it('keeps the order, and counts what is too much', async () => {
    const jobId = `job-${ulid()}`;
    const taskId = `${jobId}.implement.1`;
    const writer = createLogWriter(jetstream(nc), { jobId, taskId, attempt: 1, now: () => 5 });
    const line = 'x'.repeat(32 * 1024);
    const fitting = TASK_LIMIT_CHARACTERS / line.length;

    for (let n = 0; n < fitting + 3; n++) writer.write({ at: n, type: 'stdout', text: line });
    await writer.close();

    const batches: LogBatch[] = [];
    const { state } = await jsm.streams.info(STREAMS.logs);
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await jsm.streams.getMessage(STREAMS.logs, { seq });
      if (message?.subject === subjects.log(jobId, taskId)) batches.push(LogBatch.parse(message.json()));
    }
    const entries = batches.flatMap((batch) => batch.entries);
    expect(entries.slice(0, -1).map(({ at }) => at)).toEqual(Array.from({ length: fitting }, (_, n) => n));
    expect(entries.at(-1)).toEqual({ at: 5, type: 'note', text: 'dropped 3 lines' });
  });
});

describe('a dead letter', () => {
  it('is stored once for a message', async () => {
    const delivery = { stream: 'TASKS', subject: 'a', streamSeq: 77, deliveries: 5, data: Buffer.from('x') };
    const js = jetstream(nc);
    const before = (await jsm.streams.info(STREAMS.dead)).state.messages;

    for (let i = 0; i < 2; i++) await publishDeadLetter(js, 'coder', delivery as never, { code: 'poison', message: 'No.' }, 5);

    const { state } = await jsm.streams.info(STREAMS.dead);
    const letter = DeadLetter.parse((await jsm.streams.getMessage(STREAMS.dead, { seq: state.last_seq }))?.json());
    expect(state.messages - before).toBe(1);
    expect(letter).toMatchObject({ reason: { code: 'poison' }, payload: Buffer.from('x').toString('base64') });
  });
});

describe('a heartbeat', () => {
  it('beats, and goes when its agent stops', async () => {
    const agents = await openBucket(nc, BUCKETS.agents, Heartbeat);
    const heartbeat = await startHeartbeat(
      nc,
      () => ({
        agentId: 'coder-9',
        role: 'coder',
        incarnation: 'i',
        pid: process.pid,
        host: 'h',
        state: 'idle',
        counters: { tasksProcessed: 0, tasksFailed: 0 },
        rssBytes: 1,
        version: '0',
        startedAt: 1,
      }),
      never,
    );
    await until('it has beaten twice', async () => ((await agents.get('coder-9'))?.value.beat ?? 0) >= 1);

    await heartbeat.stop();

    expect(await agents.get('coder-9')).toBeNull();
  });
});
