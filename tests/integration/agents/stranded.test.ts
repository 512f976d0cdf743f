import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import pino from 'pino';
import { ulid } from 'ulid';
import { type RunningRepoManager, startRepoManager } from '../../../src/agents/repo-manager/repo-manager.ts';
import { wireRepoManager } from '../../../src/agents/repo-manager/wiring.ts';
import { ensureHome } from '../../../src/shared/config/home.ts';
import { Job } from '../../../src/shared/domain/job.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { UNSAFE } from '../../../src/shared/process/sandbox/sandbox.ts';
import { BUCKETS, REPO_MANAGER_CONSUMER, STREAMS, taskConsumer } from '../../../src/shared/messaging/topology.ts';
import { makeRepository } from '../../support/in-process-system.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { submitRequest } from '../../support/submit-request.ts';
import { until } from '../../support/until.ts';

const HOUR_MS = 3_600_000;
const STRANDED_AFTER_MS = 60_000;

let nats: TestNatsServer;
let nc: NatsConnection;
let jsm: JetStreamManager;
let home: string;
let repository: string;
let repoManager: RunningRepoManager;
let clock = 0;

/** Nobody else is given a message that we were given: its lease lasts an hour. */
beforeAll(async () => {
  nats = await startNatsServer();
  nc = await connectNats({ url: nats.url, name: 'test' });
  jsm = await jetstreamManager(nc);
  await provisionTopology(nc, { ackWaitMs: HOUR_MS });
  home = await mkdtemp(join(tmpdir(), 'ma-stranded-'));
  repository = await makeRepository();
});
afterAll(async () => {
  await repoManager.stop(AbortSignal.timeout(5_000));
  await nc.close();
  await nats.stop();
  await Promise.all([home, repository].map((folder) => rm(folder, { recursive: true, force: true })));
});

async function keepFromOthers(stream: string, consumer: string): Promise<JsMsg | null> {
  const message = await (await jetstream(nc).consumers.get(stream, consumer)).next({ expires: 5_000 });
  expect(message).not.toBeNull();
  return message;
}

function stopOf(jobId: string) {
  return { v: 1, type: 'StopJob', jobId, commandId: ulid(), at: Date.now() };
}

async function stopJob(jobId: string): Promise<void> {
  await jetstream(nc).publish(subjects.input('command', jobId), JSON.stringify(stopOf(jobId)));
}

async function messagesIn(stream: string): Promise<number> {
  return (await jsm.streams.info(stream)).state.messages;
}

describe('messages that nobody is given any more', () => {
  it('are handled when no redelivery can still be on its way, or removed with their job', async () => {
    const jobs = await openBucket(nc, BUCKETS.jobs, Job);
    const jobId = `job-${ulid()}`;
    const job = async () => (await jobs.get(jobId))?.value;
    const unheardOf = `job-${ulid()}`;
    await submitRequest(nc, unheardOf, repository);
    await (await keepFromOthers(STREAMS.requests, REPO_MANAGER_CONSUMER))?.ackAck();
    for (const message of [JSON.stringify(stopOf(jobId)), 'no JSON']) {
      await jetstream(nc).publish(subjects.input('command', jobId), message);
      await keepFromOthers(STREAMS.inputs, REPO_MANAGER_CONSUMER);
    }

    await submitRequest(nc, jobId, repository);
    const context = await wireRepoManager({
      nc,
      paths: await ensureHome(home),
      agentId: 'repo-manager-1',
      incarnation: ulid(),
      log: pino({ enabled: false }),
      config: { passedEnvironment: {}, secrets: [], allowedHosts: [] },
      sandbox: UNSAFE,
    });
    repoManager = await startRepoManager({
      nc,
      context: { ...context, now: () => Date.now() + clock },
      version: 'test',
      sweepEveryMs: 200,
      strandedAfterMs: STRANDED_AFTER_MS,
    });
    await until('a task is out', async () => (await job())?.task?.streamSeq !== undefined);
    const task = await jsm.streams.getMessage(STREAMS.tasks, { seq: (await job())?.task?.streamSeq ?? 0 });
    await jetstream(nc).publish(task?.subject ?? '', task?.data);
    for (let copies = 0; copies < 2; copies++) await keepFromOthers(STREAMS.tasks, taskConsumer('coder', 'normal'));
    const before = { status: (await job())?.status, inputs: await messagesIn(STREAMS.inputs), unheardOf: await jobs.get(unheardOf) };

    clock = 2 * STRANDED_AFTER_MS;
    await until('the request that was taken for handled is', async () => (await jobs.get(unheardOf)) !== null);
    await stopJob(unheardOf);
    await until('the job is stopped', async () => (await job())?.status === 'CANCELLED');
    await until('the queues are empty', async () => (await messagesIn(STREAMS.inputs)) + (await messagesIn(STREAMS.tasks)) === 0);

    expect(before).toEqual({ status: 'PENDING', inputs: 2, unheardOf: null });
    expect(await messagesIn(STREAMS.dead)).toBe(1);
  });
});
