import { setTimeout as delay } from 'node:timers/promises';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { TaskRole } from '../domain/ids.ts';
import { Priority, pullOrder } from '../domain/priority.ts';
import { subjects } from '../messages/subjects.ts';
import { ACK_PREFIX, api } from './api-subjects.ts';
import { type Delivery, deliveryOfPull } from './delivery.ts';
import { STREAMS, taskConsumer } from './topology.ts';
import { isUnanswered } from './unanswered.ts';

export interface TaskPuller {
  /** The next task by priority; waits until there is one. @throws the signal's reason when that aborts first */
  next(signal: AbortSignal): Promise<Delivery>;
}

/** What finds tasks nobody announced: redelivered ones, and those whose wake-up was lost. */
const POLL_EVERY_MS = 500;
/** A `no_wait` pull is answered at once; one that is not says as much as an empty queue. */
const PULL_TIMEOUT_MS = 1_000;
/**
 * After how long (milliseconds) a queue is asked again that should hold something and does not say so: a server under load acknowledges a
 * message some milliseconds before its consumers know of it (seen with 2.9.10), and the wake-up comes in between.
 */
const ASK_AGAIN_MS = [5, 20, 80] as const;
/** Who waits for a task: a wake-up goes to one of them, or to nobody. */
const IDLE = 'idle';

/**
 * Takes tasks one at a time, the highest priority first (see `pullOrder`).
 *
 * A task is asked for only when there is nothing else to do: one that lay in a busy agent's hand would wait for it while
 * another agent idles. So an idle agent asks the queues in turn and without waiting; after that a wake-up, which names one queue, has it
 * ask that one, and a while without any has it ask all of them again. A wake-up that finds somebody who has just got another task, and a
 * queue that holds more than what was taken, is told to the next one who idles.
 *
 * @param pollEveryMs how long it waits for a wake-up before it asks all queues again (milliseconds). Default 500
 */
export function createTaskPuller(
  nc: NatsConnection,
  role: TaskRole,
  onError: (error: unknown) => void,
  pollEveryMs = POLL_EVERY_MS,
): TaskPuller {
  let turn = 0;
  return {
    next: async (signal) => {
      signal.throwIfAborted();
      const wakeUps = hearWakeUps(nc, role, pollEveryMs);
      try {
        for (let order = pullOrder(turn); ; order = (await wakeUps.next(signal)) ?? pullOrder(turn)) {
          signal.throwIfAborted();
          const found = await firstOf(nc, role, order).catch((error: unknown) => {
            onError(error);
            return null;
          });
          if (!found) continue;
          turn += 1;
          wakeUps.answer(found);
          return found.delivery;
        }
      } finally {
        wakeUps.stop();
      }
    },
  };
}

interface Found {
  readonly delivery: Delivery;
  readonly priority: Priority;
  /** How many more its queue holds that were never delivered. */
  readonly pending: number;
}

/** Asks one queue after the other, until one has a task. */
async function firstOf(nc: NatsConnection, role: TaskRole, order: readonly Priority[]): Promise<Found | null> {
  for (const priority of order) {
    const message = await pullOne(nc, taskConsumer(role, priority)).catch(unlessUnanswered);
    if (message) return { delivery: deliveryOfPull(nc, message), priority, pending: Number(message.reply?.split('.').at(-1)) };
  }
  return null;
}

function unlessUnanswered(error: unknown): null {
  if (isUnanswered(error)) return null;
  throw error;
}

/** One `no_wait` pull (https://docs.nats.io/reference/reference-protocols/nats_api_reference): a message, or a status at once. */
async function pullOne(nc: NatsConnection, consumer: string): Promise<Msg | null> {
  const answer = await nc.request(api.pull(STREAMS.tasks, consumer), JSON.stringify({ batch: 1, no_wait: true }), {
    timeout: PULL_TIMEOUT_MS,
    // A message comes under its own subject, so that it can't be told by it whose answer it is: each request has its own inbox.
    noMux: true,
  });
  return answer.reply?.startsWith(ACK_PREFIX) === true ? answer : null;
}

interface WakeUps {
  /** Waits for a wake-up, and gives the queues that it is about; null when there was none for long enough, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<readonly Priority[] | null>;
  /** A task was found: tells the others what else there is. */
  answer(found: Found): void;
  /** From now on what still arrives is told to the others. */
  stop(): void;
}

function hearWakeUps(nc: NatsConnection, role: TaskRole, pollEveryMs: number): WakeUps {
  const heard = new Set<Priority>();
  /** What the last wake-ups were about, and how often it was asked again without finding it. */
  let asked: readonly Priority[] = [];
  let times = 0;
  let wake = new AbortController();
  let isStopped = false;
  const tellOthers = (priority: Priority): void => {
    if (!nc.isClosed() && !nc.isDraining()) nc.publish(subjects.wake(role), priority);
  };
  const subscription: Subscription = nc.subscribe(subjects.wake(role), {
    queue: IDLE,
    callback: (error, message) => {
      const priority = error ? undefined : Priority.safeParse(message.string()).data;
      if (priority === undefined) return;
      if (isStopped) {
        tellOthers(priority);
        return;
      }
      heard.add(priority);
      wake.abort();
    },
  });
  return {
    next: async (signal) => {
      const again = asked.length > 0 ? ASK_AGAIN_MS[times] : undefined;
      const waiting = AbortSignal.any([signal, wake.signal]);
      if (heard.size === 0) await delay(again ?? pollEveryMs, undefined, { signal: waiting }).catch(() => undefined);
      wake = new AbortController();
      times = heard.size > 0 ? 0 : times + 1;
      const notFound = again === undefined ? [] : asked;
      asked = pullOrder(0).filter((priority) => heard.has(priority) || notFound.includes(priority));
      heard.clear();
      return asked.length > 0 ? asked : null;
    },
    answer: ({ priority, pending }) => {
      for (const unasked of asked.slice(asked.indexOf(priority) + 1)) heard.add(unasked);
      if (pending > 0) heard.add(priority);
      else heard.delete(priority);
    },
    stop: () => {
      isStopped = true;
      // Drained: what the server has sent by then is still heard.
      subscription.drain().catch(() => undefined);
      for (const priority of heard) tellOthers(priority);
    },
  };
}
