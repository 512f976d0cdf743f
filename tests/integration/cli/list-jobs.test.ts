import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { BUCKETS, REPO_MANAGER_CONSUMER, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type CapturedRun, runCaptured } from './captured-cli.ts';
import { openRecords, type Records, requestOf } from './records.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let records: Records;
const ids: string[] = [];
const TOTAL = 90;

const cli = (...argv: string[]): Promise<CapturedRun> =>
  runCaptured([...argv, '--json'], { env: { NATS_URL: server.url, MULTI_AGENT_HOME: server.folder } });
const idsOf = ({ json }: CapturedRun): string[] => (json['jobs'] as { id: string }[]).map(({ id }) => id);

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test' });
  await provisionTopology(nc);
  records = await openRecords(nc);
  for (let n = 0; n < TOTAL; n++) {
    const request = requestOf({ feature: { title: `Job ${String(n)}`, description: '', requirements: [], acceptanceCriteria: [] } });
    ids.push(request.jobId);
    await records.request(request);
    // The newest five are not handled yet; of the others every tenth waits for a person, the rest is merged.
    if (n >= TOTAL - 5) continue;
    const waits = n % 10 === 0;
    if (waits) await records.open(request.jobId);
    await records.job(request, {
      status: waits ? 'WAITING_APPROVAL' : 'COMPLETED',
      phase: waits ? 'approving' : 'done',
      ...(waits ? { needs: { kind: 'approval', message: 'Look at it.', command: `multi-agent approve ${request.jobId}` } } : {}),
    });
  }
  await handleRequests(TOTAL - 5);
  const { ack_floor: floor } = await (await jetstreamManager(nc)).consumers.info(STREAMS.requests, REPO_MANAGER_CONSUMER);
  expect(floor.stream_seq).toBe(TOTAL - 5);
});

afterAll(async () => {
  await nc.close();
  await server.stop();
});

it('gives the newest first, and pages back to the first without a gap or a repetition', async () => {
  const seen: string[] = [];
  for (let before: string[] = []; ;) {
    const page = await cli('list-jobs', '--limit', '40', ...before);
    seen.push(...idsOf(page));
    const { next } = page.json;
    if (typeof next !== 'string') break;
    before = ['--before', next];
  }

  expect(seen).toEqual([...ids].reverse());
});

it('gives only what waits for a person with --needs-me', async () => {
  const page = await cli('list-jobs', '--needs-me');

  expect(idsOf(page)).toEqual(ids.filter((_, n) => n % 10 === 0 && n < TOTAL - 5).reverse());
  expect(page.json).not.toHaveProperty('next');
});

it('gives jobs that no repo-manager has looked at as PENDING', async () => {
  const page = await cli('list-jobs', '--status', 'pending');

  expect(idsOf(page)).toEqual(ids.slice(-5).reverse());
});

it('finds what a filter wants behind what it skips', async () => {
  const page = await cli('list-jobs', '--status', 'WAITING_APPROVAL,COMPLETED', '--limit', '3');

  expect(idsOf(page)).toEqual(ids.slice(TOTAL - 8, TOTAL - 5).reverse());
});

it('passes over what is no request', async () => {
  nc.publish('request.nonsense', 'not even JSON');
  await nc.flush();

  const page = await cli('list-jobs', '--limit', '1');

  expect([page.exitCode, idsOf(page)]).toEqual([0, ids.slice(-1)]);
});

it('shows the others where a record can not be read, and names that one', async () => {
  const broken = ids[TOTAL - 7] ?? '';
  const jobs = await openBucket(nc, BUCKETS.jobs, z.unknown());
  const entry = await jobs.get(broken);
  await jobs.put(broken, { ...(entry?.value as object), usage: { inputTokens: 0, outputTokens: 0, costUsd: null } });

  const page = await cli('list-jobs', '--status', 'WAITING_APPROVAL,COMPLETED', '--limit', '3');
  const one = await cli('job-status', broken);

  expect(page.exitCode).toBe(0);
  expect(idsOf(page)).toEqual([TOTAL - 6, TOTAL - 8, TOTAL - 9].map((n) => ids[n]));
  expect(page.json['unreadable']).toEqual([broken]);
  expect(one.exitCode).toBe(1);
  expect(JSON.stringify(one.json)).toContain('unreadable_record');
});

async function handleRequests(count: number): Promise<void> {
  const { jetstream } = await import('@nats-io/jetstream');
  const consumer = await jetstream(nc).consumers.get(STREAMS.requests, REPO_MANAGER_CONSUMER);
  for await (const message of await consumer.fetch({ max_messages: count })) await message.ackAck();
}
