import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { openBus } from '../../../src/agents/repo-manager/bus.ts';
import { JobId } from '../../../src/shared/domain/ids.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { removeAcknowledged } from '../../../src/shared/messaging/acknowledged.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { skipNumbersGivenOut } from '../../../src/shared/messaging/lost-numbers.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { createTaskPuller } from '../../../src/shared/messaging/pull.ts';
import { REPO_MANAGER_CONSUMER, STREAMS, taskConsumer } from '../../../src/shared/messaging/topology.ts';
import { isAlive } from '../../../src/shared/process/process-table.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { until } from '../../support/until.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let jsm: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer();
  await connectAnew();
  await provisionTopology(nc);
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

async function connectAnew(): Promise<void> {
  nc = await connectNats({ url: server.url, name: 'test' });
  jsm = await jetstreamManager(nc);
}

const rethrow = (error: unknown): never => {
  throw error;
};
const send = (text: string) => jsm.jetstream().publish(subjects.task('coder', 'normal'), text);
const numberGiven = async () => (await jsm.consumers.info(STREAMS.tasks, taskConsumer('coder', 'normal'))).delivered.stream_seq;
const stateOfTasks = async () => (await jsm.streams.info(STREAMS.tasks)).state;

async function take(withinMs = 5_000): Promise<string | undefined> {
  const delivery = await createTaskPuller(nc, 'coder', rethrow)
    .next(AbortSignal.timeout(withinMs))
    .catch(() => undefined);
  await delivery?.ack();
  return delivery && new TextDecoder().decode(delivery.data);
}

/** As 2.9.10 came back with its store from a full disk: the stream has forgotten its newest messages, its consumers have not. */
async function forgetNewest(stream: string, count: number, handleOne: () => Promise<unknown>): Promise<void> {
  const messages = join(server.folder, 'store', 'jetstream', '$G', 'streams', stream, 'msgs');
  const kept = join(server.folder, 'kept');
  await cp(messages, kept, { recursive: true });
  for (let n = 0; n < count; n++) await handleOne();
  await nc.close();
  // Its consumers' state is written when it ends, and only now and then before.
  process.kill(server.pid(), 'SIGTERM');
  await until('the server has ended', () => !isAlive(server.pid()));
  await rm(messages, { recursive: true });
  await cp(kept, messages, { recursive: true });
  await server.restart();
  await connectAnew();
}

describe('a stream that has forgotten its newest messages', () => {
  it('gives its numbers out again, and its consumers those messages to nobody, before it is mended', async () => {
    await send('before');
    expect(await take()).toBe('before');
    await forgetNewest(STREAMS.tasks, 12, async () => {
      await send('done');
      await take();
    });

    await send('lost');
    const beforeMending = await take(700);
    const [given, { last_seq }] = [await numberGiven(), await stateOfTasks()];
    const skipped = await skipNumbersGivenOut(jsm);
    await send('after');
    const afterMending = await take();

    expect([beforeMending, afterMending]).toEqual([undefined, 'after']);
    expect(given).toBeGreaterThan(last_seq);
    expect(skipped).toBe(given - last_seq);
    expect((await stateOfTasks()).last_seq).toBe(given + 1);
    await removeAcknowledged(jsm);
    expect((await stateOfTasks()).messages).toBe(0);
  });

  it('is left alone where it has forgotten nothing', async () => {
    const { last_seq } = await stateOfTasks();
    await send('waits');

    expect(await skipNumbersGivenOut(jsm)).toBe(0);
    expect((await stateOfTasks()).last_seq).toBe(last_seq + 1);
    expect(await take()).toBe('waits');
    expect(await skipNumbersGivenOut(jsm)).toBe(0);
  });
});

describe('an input with a number that was given out before', () => {
  it('is found at once, for nobody is given it; what is in hand is not', async () => {
    const jobId = JobId.parse(`job-${ulid()}`);
    const put = async () => (await jsm.jetstream().publish(subjects.input('command', jobId), '{}')).seq;
    const takeInput = async () => (await jsm.jetstream().consumers.get(STREAMS.inputs, REPO_MANAGER_CONSUMER)).next({ expires: 5_000 });
    const settleOne = async () => (await takeInput())?.ackAck();
    await put();
    await settleOne();
    await forgetNewest(STREAMS.inputs, 3, async () => {
      await put();
      await settleOne();
    });
    const bus = await openBus(nc);

    const numbers = [await put(), await put(), await put(), await put()];
    const inHand = await takeInput();
    const found = await bus.strandedInputs(0);
    for (const delivery of found) await delivery.ack();

    expect(found.map(({ streamSeq }) => streamSeq)).toEqual(numbers.slice(0, 3));
    expect(inHand?.seq).toBe(numbers[3]);
    expect(await bus.strandedInputs(0)).toEqual([]);
  });
});
