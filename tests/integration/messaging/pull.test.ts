import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Priority } from '../../../src/shared/domain/priority.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { createTaskPuller } from '../../../src/shared/messaging/pull.ts';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { until } from '../../support/until.ts';

const NEVER_MS = 3_600_000;
const QUEUES = 4;

let server: TestNatsServer;
let nc: NatsConnection;
let jsm: JetStreamManager;
/** How often a queue was asked. */
let pulls = 0;

beforeAll(async () => {
  server = await startNatsServer({ credential: true });
  nc = await connectNats({ url: server.url, nkeyFile: server.nkeyFile, name: 'test', patience: 'forever' });
  await provisionTopology(nc, { ackWaitMs: 1_000 });
  jsm = await jetstreamManager(nc);
  nc.subscribe('$JS.API.CONSUMER.MSG.NEXT.TASKS.*', { callback: () => void (pulls += 1) });
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});
beforeEach(() => {
  pulls = 0;
});

const never = (error: unknown): void => {
  throw error instanceof Error ? error : new Error(String(error));
};

describe('a task puller', () => {
  it('takes the urgent task first, and one at a time', async () => {
    for (const priority of ['low', 'normal', 'urgent'] as const) nc.publish(subjects.task('coder', priority), priority);
    await nc.flush();
    const puller = createTaskPuller(nc, 'coder', never);

    const taken: string[] = [];
    for (let i = 0; i < 3; i++) {
      const delivery = await puller.next(AbortSignal.timeout(5_000));
      taken.push(new TextDecoder().decode(delivery.data));
      await delivery.ack();
    }

    expect(taken).toEqual(['urgent', 'normal', 'low']);
  });

  it('wakes at once when a task is announced', async () => {
    const puller = createTaskPuller(nc, 'reviewer', never);
    const waiting = puller.next(AbortSignal.timeout(5_000));
    nc.publish(subjects.task('reviewer', 'low'), 'x');
    nc.publish(subjects.wake('reviewer'), 'low');

    const delivery = await waiting;
    delivery.nak(10);
    const again = await puller.next(AbortSignal.timeout(5_000));
    again.working();
    await again.term();

    expect(again).toMatchObject({ streamSeq: delivery.streamSeq, deliveries: 2, stream: STREAMS.tasks, subject: 'task.reviewer.low' });
    await until('TASKS is empty', async () => (await jsm.streams.info(STREAMS.tasks)).state.messages === 0);
  });

  it('stops waiting when it is told to', async () => {
    const puller = createTaskPuller(nc, 'coder', never);

    await expect(puller.next(AbortSignal.timeout(50))).rejects.toThrow();
  });

  describe('that would wait for ever but for wake-ups', () => {
    /** So many of them wait, and have asked every queue once. */
    const idle = async (count: number): Promise<Promise<string>[]> => {
      const asked = pulls;
      const waiting = Array.from({ length: count }, async () => {
        const delivery = await createTaskPuller(nc, 'coder', never, NEVER_MS).next(AbortSignal.timeout(20_000));
        await delivery.ack();
        return new TextDecoder().decode(delivery.data);
      });
      await until('all have found nothing', () => pulls === asked + count * QUEUES);
      await nc.flush();
      return waiting;
    };
    const send = async (priority: Priority, text: string): Promise<void> => {
      await jsm.jetstream().publish(subjects.task('coder', priority), text);
    };
    const wake = (priority: Priority): void => {
      nc.publish(subjects.wake('coder'), priority);
    };

    it('is one of many that is woken, and asks one queue', async () => {
      const waiting = await idle(8);
      await send('high', 'the task');

      wake('high');

      expect(await Promise.race(waiting)).toBe('the task');
      // Asked again, where the server is slow; but neither by the others nor for other queues.
      expect(pulls - 8 * QUEUES).toBeGreaterThanOrEqual(1);
      expect(pulls - 8 * QUEUES).toBeLessThanOrEqual(4);
      await Promise.all(Array.from({ length: 7 }, (_, n) => send('low', String(n))));
      for (let n = 0; n < 7; n++) wake('low');
      await Promise.all(waiting);
    });

    it('tells the next one while there is more', async () => {
      const waiting = await idle(5);
      for (let n = 0; n < 5; n++) await send('normal', String(n));

      wake('normal');

      expect((await Promise.all(waiting)).sort()).toEqual(['0', '1', '2', '3', '4']);
    });

    it('hands on a wake-up that finds it with another task', async () => {
      for (let round = 0; round < 20; round++) {
        const waiting = await idle(2);
        await Promise.all([send('low', 'low'), send('urgent', 'urgent')]);

        // Whichever of the two hears them: both, as often as not.
        wake('low');
        wake('urgent');

        expect((await Promise.all(waiting)).sort()).toEqual(['low', 'urgent']);
      }
    });

    it('looks into every queue before it waits', async () => {
      await send('low', 'sent while nobody idled');

      const delivery = await createTaskPuller(nc, 'coder', never, NEVER_MS).next(AbortSignal.timeout(20_000));

      expect(delivery.subject).toBe(subjects.task('coder', 'low'));
      await delivery.ack();
    });
  });
});
