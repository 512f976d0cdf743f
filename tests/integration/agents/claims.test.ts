import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { ulid } from 'ulid';
import { reportAbandoned } from '../../../src/agents/base/abandoned.ts';
import { claimTask } from '../../../src/agents/base/claim.ts';
import { Claim } from '../../../src/shared/messages/agent.ts';
import type { TaskMessage } from '../../../src/shared/messages/task.ts';
import { type Bucket, openBucket } from '../../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let claims: Bucket<Claim>;

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test' });
  await provisionTopology(nc);
  claims = await openBucket(nc, BUCKETS.claims, Claim);
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

const holder = { agentId: 'coder-1', incarnation: 'host/1' };
const messageOf = (dispatch = 1, taskId = `job-${ulid()}.implement.1`): TaskMessage =>
  ({ taskId, dispatch, attemptsBefore: 0 }) as TaskMessage;

describe('a claim whose result is stored', () => {
  it('is not taken up again from the same message, but from a later dispatch', async () => {
    const message = messageOf();
    const held = await claimTask(claims, message, 5, holder);

    expect(await held?.markReported()).toBe(true);

    expect(await claimTask(claims, message, 5, { ...holder, agentId: 'coder-2' })).toBeNull();
    expect((await claimTask(claims, messageOf(2, message.taskId), 6, holder))?.claim).toMatchObject({ attempt: 2 });
    expect((await claims.get(message.taskId))?.value).not.toHaveProperty('reported');
  });

  it('was not abandoned by its agent', async () => {
    const held = await claimTask(claims, messageOf(), 7, { agentId: 'coder-9', incarnation: 'host/1' });
    await held?.markReported();
    const later = { agentId: 'coder-9', incarnation: 'host/2' };

    // Without a connection: it has nothing to say.
    const reported = await reportAbandoned({ claims, holder: later, now: () => 1 } as Parameters<typeof reportAbandoned>[0]);

    expect(reported).toBe(0);
  });

  it('can not be marked, nor handed back, by who has lost it', async () => {
    const message = messageOf();
    const first = await claimTask(claims, message, 8, holder);
    await claimTask(claims, message, 8, { ...holder, agentId: 'coder-2' });

    expect([await first?.markReported(), await first?.handBack(undefined), await first?.heldBy()]).toEqual([false, false, 'later_attempt']);
  });

  it('is not taken for its own by who finds another in its place, though the revision is the same', async () => {
    const message = messageOf();
    const read = async (key: string) => {
      const entry = await claims.get(key);
      return entry && { ...entry, value: { ...entry.value, agentId: 'coder-2' } };
    };
    const held = await claimTask({ ...claims, get: read }, message, 9, holder);

    expect([await held?.isStillOurs(), await held?.heldBy()]).toEqual([false, 'later_attempt']);
  });
});
