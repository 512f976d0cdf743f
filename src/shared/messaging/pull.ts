import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { TaskRole } from '../domain/ids.ts';
import { pullOrder } from '../domain/priority.ts';
import { subjects } from '../messages/subjects.ts';
import { ACK_PREFIX, api } from './api-subjects.ts';
import { type Delivery, deliveryOfPull } from './delivery.ts';
import { STREAMS, taskConsumer } from './topology.ts';
import { isUnanswered } from './unanswered.ts';

export interface TaskPuller {
  /** The next task by priority; waits until there is one. @throws the signal's reason when that aborts first */
  next(signal: AbortSignal): Promise<Delivery>;
  close(): void;
}

/** What finds tasks nobody announced: redelivered ones, and those whose wake-up was lost. */
const POLL_EVERY_MS = 500;
/** A `no_wait` pull is answered at once; one that is not says as much as an empty queue. */
const PULL_TIMEOUT_MS = 1_000;

/**
 * Takes tasks one at a time, the highest priority first (see `pullOrder`).
 *
 * A task is asked for only when there is nothing else to do: one that lay in a busy agent's hand would wait for it while
 * another agent idles. So each round asks the queues in turn and without waiting; between rounds a wake-up from the
 * repo-manager, or half a second, has it look again.
 */
export function createTaskPuller(nc: NatsConnection, role: TaskRole, onError: (error: unknown) => void): TaskPuller {
  let turn = 0;
  let wake = new AbortController();
  const wakeUps = nc.subscribe(subjects.wake(role), {
    callback: () => {
      wake.abort();
    },
  });

  const lookOnce = async (): Promise<Delivery | null> => {
    for (const priority of pullOrder(turn)) {
      const found = await pullOne(nc, taskConsumer(role, priority)).catch(unlessUnanswered);
      if (!found) continue;
      turn += 1;
      return found;
    }
    return null;
  };

  return {
    next: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        // Made before looking, so that a wake-up during the look is not missed.
        wake = new AbortController();
        const found = await lookOnce().catch((error: unknown) => {
          onError(error);
          return null;
        });
        if (found) return found;
        await delay(POLL_EVERY_MS, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => undefined);
      }
    },
    close: () => {
      wakeUps.unsubscribe();
    },
  };
}

function unlessUnanswered(error: unknown): null {
  if (isUnanswered(error)) return null;
  throw error;
}

/** One `no_wait` pull (https://docs.nats.io/reference/reference-protocols/nats_api_reference): a message, or a status at once. */
async function pullOne(nc: NatsConnection, consumer: string): Promise<Delivery | null> {
  const answer = await nc.request(api.pull(STREAMS.tasks, consumer), JSON.stringify({ batch: 1, no_wait: true }), {
    timeout: PULL_TIMEOUT_MS,
    // A message comes under its own subject, so that it can't be told by it whose answer it is: each request has its own inbox.
    noMux: true,
  });
  const isMessage = answer.reply?.startsWith(ACK_PREFIX) ?? false;
  return isMessage ? deliveryOfPull(nc, answer) : null;
}
