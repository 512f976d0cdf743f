import { jetstream, type JetStreamManager, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { JobEvent } from '../../shared/domain/event.ts';
import type { JobId, TaskId, TaskRole } from '../../shared/domain/ids.ts';
import type { Priority } from '../../shared/domain/priority.ts';
import { FeatureRequest } from '../../shared/messages/feature-request.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { TaskMessage } from '../../shared/messages/task.ts';
import { removeAcknowledged } from '../../shared/messaging/acknowledged.ts';
import { publishDeadLetter } from '../../shared/messaging/dead-letters.ts';
import { deliveredMessages } from '../../shared/messaging/delivered.ts';
import { type Delivery, deliveryOfStored } from '../../shared/messaging/delivery.ts';
import { jsonOrNull } from '../../shared/messaging/parse.ts';
import { skipNumbersGivenOut } from '../../shared/messaging/lost-numbers.ts';
import { publishUntilAcknowledged } from '../../shared/messaging/publish.ts';
import { deleteStreamMessage } from '../../shared/messaging/stream-message.ts';
import { consumerPlans, STREAMS } from '../../shared/messaging/topology.ts';
import { publishEvent } from '../base/report.ts';

/**
 * The streams as the repo-manager uses them. What it publishes is stored when the call resolves, and the same message id
 * twice is one message as long as the server remembers it; a reading call that is not answered throws.
 */
export interface Bus {
  /** The request of a job, whether or not it has a record. */
  request(jobId: JobId): Promise<FeatureRequest | null>;
  /** @returns the sequence of the message in TASKS */
  sendTask(role: TaskRole, priority: Priority, message: TaskMessage, messageId: string): Promise<number>;
  /** Whether TASKS still has the message. */
  hasTask(streamSeq: number): Promise<boolean>;
  removeTask(streamSeq: number): Promise<void>;
  /** Whether INPUTS holds anything for the job. */
  hasInputs(jobId: JobId): Promise<boolean>;
  /** `id` makes a repetition the same fact. */
  publishEvent(jobId: JobId, event: JobEvent, at: number, id: string): Promise<void>;
  /** The message id of the job's newest fact of this type. */
  lastEventId(jobId: JobId, type: JobEvent['type']): Promise<string | null>;
  publishDeadLetter(delivery: Delivery, reason: { code: string; message: string }, at: number): Promise<void>;
  /** Has new tasks get numbers that were not given out before, where the server has forgotten some. @returns how many were skipped */
  skipNumbersGivenOut(): Promise<number>;
  /** Removes from TASKS what was acknowledged long ago. @returns how many messages */
  removeAcknowledged(): Promise<number>;
  /** What lies in INPUTS though it was given out and acknowledged, or was given out and stored before a moment: answered, it is removed. */
  strandedInputs(before: number): Promise<Delivery[]>;
  /**
   * The requests from the number `from` on that were stored before a moment, and the number behind them. Without `from`: the newest two
   * hundred. Answering one removes nothing.
   */
  oldRequests(from: number | undefined, before: number): Promise<{ readonly deliveries: readonly Delivery[]; readonly next: number }>;
  /** The same of TASKS, where it can be read. */
  oldTasks(before: number): Promise<{ readonly jobId: JobId; readonly streamSeq: number }[]>;
  /** There is a task for this role. Only makes quicker what polling finds: it may be lost. */
  wake(role: TaskRole, priority: Priority): void;
  /** The task is no longer wanted. Only makes quicker what the claim says: it may be lost. */
  cancel(taskId: TaskId): void;
}

/** Reads go to the streams' leaders: a follower may lag. */
export async function openBus(nc: NatsConnection): Promise<Bus> {
  const js = jetstream(nc);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return {
    request: async (jobId) => {
      const message = await jsm.streams.getMessage(STREAMS.requests, { last_by_subj: subjects.request(jobId) });
      return message ? FeatureRequest.parse(message.json()) : null;
    },
    sendTask: async (role, priority, message, messageId) =>
      (await publishUntilAcknowledged(js, subjects.task(role, priority), message, { messageId })).seq,
    hasTask: async (seq) => (await jsm.streams.getMessage(STREAMS.tasks, { seq })) !== null,
    removeTask: async (seq) => {
      await deleteStreamMessage(jsm, STREAMS.tasks, seq);
    },
    hasInputs: async (jobId) => {
      const info = await jsm.streams.info(STREAMS.inputs, { subjects_filter: subjects.inputsOf(jobId) });
      return Object.keys(info.state.subjects ?? {}).length > 0;
    },
    publishEvent: (jobId, event, at, id) => publishEvent(js, jobId, event, at, id),
    lastEventId: async (jobId, type) => {
      const message = await jsm.streams.getMessage(STREAMS.events, { last_by_subj: subjects.event(jobId, type) });
      return message?.header.get('Nats-Msg-Id') || null;
    },
    publishDeadLetter: (delivery, reason, at) => publishDeadLetter(js, 'repo-manager', delivery, reason, at),
    skipNumbersGivenOut: () => skipNumbersGivenOut(jsm),
    removeAcknowledged: () => removeAcknowledged(jsm),
    oldRequests: (from, before) => oldRequests(jsm, from, before),
    strandedInputs: async (before) =>
      (await givenOut(jsm, STREAMS.inputs))
        .filter(({ message, isAcknowledged }) => isAcknowledged || message.time.getTime() < before)
        .map(({ message }) => deliveryOfStored(jsm, STREAMS.inputs, message)),
    oldTasks: async (before) =>
      (await givenOut(jsm, STREAMS.tasks))
        .filter(({ message }) => message.time.getTime() < before)
        .flatMap(({ message }) => {
          const task = TaskMessage.safeParse(jsonOrNull(message.data)).data;
          return task ? [{ jobId: task.jobId, streamSeq: message.seq }] : [];
        }),
    wake: (role, priority) => {
      nc.publish(subjects.wake(role), priority);
    },
    cancel: (taskId) => {
      nc.publish(subjects.cancel(taskId));
    },
  };
}

/** Looked at once at a start; as many were hardly lost in one go. */
const REQUESTS_LOOKED_AT = 200;

async function oldRequests(jsm: JetStreamManager, from: number | undefined, before: number): ReturnType<Bus['oldRequests']> {
  const { last_seq } = (await jsm.streams.info(STREAMS.requests)).state;
  const deliveries: Delivery[] = [];
  // A stream that has forgotten its newest numbers gives them out again.
  const isBehind = from === undefined || from > last_seq + 1;
  for (let seq = isBehind ? Math.max(1, last_seq - REQUESTS_LOOKED_AT + 1) : from; seq <= last_seq; seq++) {
    // One that was submitted again lies at its new number.
    const message = await jsm.streams.getMessage(STREAMS.requests, { seq });
    if (!message) continue;
    if (message.time.getTime() >= before) return { deliveries, next: seq };
    deliveries.push({ ...deliveryOfStored(jsm, STREAMS.requests, message), ack: () => Promise.resolve(), term: () => undefined });
  }
  return { deliveries, next: last_seq + 1 };
}

/** What a work queue still has of what its consumers were given. */
async function givenOut(
  jsm: JetStreamManager,
  stream: string,
): Promise<{ readonly message: StoredMsg; readonly isAcknowledged: boolean }[]> {
  const found = [];
  for (const plan of consumerPlans.filter((one) => one.stream === stream)) {
    const { delivered, ack_floor } = await jsm.consumers.info(stream, plan.name);
    for await (const message of deliveredMessages(jsm, plan, delivered.stream_seq))
      found.push({ message, isAcknowledged: message.seq <= ack_floor.stream_seq });
  }
  return found;
}
