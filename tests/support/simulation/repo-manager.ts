import type { Bus } from '../../../src/agents/repo-manager/bus.ts';
import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { createGreenTrees } from '../../../src/agents/repo-manager/green-trees.ts';
import { createInbox, INBOX_RULES } from '../../../src/agents/repo-manager/inbox.ts';
import { createJobHandler } from '../../../src/agents/repo-manager/job-handler.ts';
import { createJobStore } from '../../../src/agents/repo-manager/job-store.ts';
import { createLimiter } from '../../../src/agents/repo-manager/keyed-queue.ts';
import { createKnownCommits } from '../../../src/agents/repo-manager/known-commits.ts';
import { createMergeLock } from '../../../src/agents/repo-manager/merge-lock.ts';
import type { Strandings } from '../../../src/agents/repo-manager/stranded.ts';
import type { PinnedJob } from '../../../src/agents/repo-manager/pinned-jobs.ts';
import { sweep, sweepAtStart } from '../../../src/agents/repo-manager/sweep.ts';
import { decide } from '../../../src/shared/domain/decide.ts';
import { JobId } from '../../../src/shared/domain/ids.ts';
import { InterruptedError } from '../../../src/shared/errors/errors.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { handleDelivery } from '../../../src/shared/messaging/consume.ts';
import type { Delivery } from '../../../src/shared/messaging/delivery.ts';
import { createFailureCount } from '../../../src/shared/messaging/failure-count.ts';
import { isGreen } from './agents.ts';
import { type ForgeWorld, forgeOf } from './forge.ts';
import type { Luck } from './luck.ts';
import type { Incarnation } from './process.ts';
import type { StoredConsumer } from './nats.ts';
import type { Server } from './server.ts';

export interface RepoManagerWorld {
  readonly server: Server;
  readonly forge: ForgeWorld;
  readonly luck: Luck;
  readonly sweepEveryMs: number;
  readonly onCancelled: (taskId: string) => void;
  /** Takes something away, to see that it is missed. */
  readonly sabotage: (context: RepoManagerContext, self: Incarnation) => RepoManagerContext;
  /** Also changes the order of things around the handler. */
  readonly acksFirst: boolean;
}

const PREFETCH = 16;
const CHECKS_TAKE_MS = [5, 2_000, 12_000] as const;

/** A repo-manager as a process of the world: the shipped handler, inbox, sweep and merge lock on a world of ours. */
export function startRepoManager(self: Incarnation, world: RepoManagerWorld): RepoManagerContext {
  const { server } = world;
  const context = world.sabotage(contextOf(self, world), self);
  const handler = createJobHandler(context);
  const inbox = createInbox(context, handler);
  const consume = (consumer: StoredConsumer, handle: (delivery: Delivery) => Promise<void>): void => {
    let inHand = 0;
    const failures = createFailureCount();
    consumer.join({
      self,
      mayTake: () => inHand < PREFETCH,
      take: (delivery) => {
        inHand += 1;
        const how = { handle, rules: INBOX_RULES, bury: inbox.bury, clock: self.clock };
        const options = world.acksFirst ? { ...how, handle: (it: Delivery) => it.ack().then(() => handle(it)) } : how;
        void handleDelivery(delivery, options, failures)
          .catch(() => undefined)
          .finally(() => {
            inHand -= 1;
            consumer.look();
          });
      },
    });
  };
  consume(server.requestConsumer, inbox.takeRequest);
  consume(server.inputConsumer, inbox.takeInput);
  let sweeping: Promise<void> | undefined;
  const once = (): void => {
    sweeping ??= sweep(context, handler, STRANDINGS)
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        sweeping = undefined;
      });
  };
  once();
  void sweepAtStart(context, NEVER);
  self.clock.every(world.sweepEveryMs, once);
  return context;
}

/** What a repo-manager of the world works with. */
export function contextOf(
  self: Incarnation,
  { server, forge, luck, onCancelled }: Pick<RepoManagerWorld, 'server' | 'forge' | 'luck' | 'onCancelled'>,
): RepoManagerContext {
  return {
    decide,
    bus: busOf(self, server, onCancelled),
    store: createJobStore(server.jobs.of(self), server.open.of(self)),
    claims: server.claims.of(self),
    bundles: server.bundles.of(self),
    forges: { local: forgeOf(self, forge) },
    openCommits: () => forge.mirror.of(self),
    pinnedJobs: () => self.io('git', 'list pins', () => pinnedJobs(self, forge)),
    checkCommit: async ({ commit, signal }) => {
      await self.clock.sleep(CHECKS_TAKE_MS[luck.pick(`${self.process} checks take`, CHECKS_TAKE_MS.length)] ?? 0, signal);
      if (signal.aborted) throw new InterruptedError('checks_interrupted', 'The checks are no longer wanted.');
      const passed = await self.io('git', 'check', () => isGreen(server.commits.of(commit).tree));
      return [{ command: 'npm test', passed, exitCode: passed ? 0 : 1, durationMs: 1, output: '' }];
    },
    mergeLock: createMergeLock({
      locks: server.locks.of(self),
      holder: self.process,
      incarnation: self.id,
      clock: self.clock,
      onError: () => undefined,
    }),
    known: createKnownCommits(),
    green: createGreenTrees(),
    slots: createLimiter(PREFETCH),
    secret: Buffer.alloc(32, 7),
    home: '/home',
    host: 'box',
    stopping: NEVER,
    agentId: self.process,
    incarnation: self.id,
    now: self.now,
    clock: self.clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };
}

function pinnedJobs(self: Incarnation, { mirror }: ForgeWorld): PinnedJob[] {
  const jobs = new Set([...mirror.pins.keys()].map((key) => JobId.parse(key.split('/')[0])));
  return [...jobs].map((jobId) => ({ jobId, unpin: () => mirror.of(self).unpin(jobId) }));
}

const NEVER = new AbortController().signal;
/** On this server nothing is. */
const STRANDINGS: Strandings = {
  afterMs: Infinity,
  takeUp: () => Promise.resolve(),
  takeUpRequest: () => Promise.resolve(),
  requests: { withoutRecord: () => Promise.resolve([]) },
};

function busOf(self: Incarnation, server: Server, onCancelled: (taskId: string) => void): Bus {
  const { requests, inputs, tasks, events, dead } = server;
  const find = (jobId: string): FeatureRequest | null =>
    ([...requests.messages.values()].find(({ subject }) => subject === subjects.request(jobId))?.payload as FeatureRequest | undefined) ??
    null;
  return {
    request: (jobId) => self.io('nats', 'get request', () => find(jobId)),
    sendTask: (role, priority, message, id) => tasks.publish(self, subjects.task(role, priority), message, id),
    hasTask: (seq) => self.io('nats', 'look for task', () => tasks.messages.has(seq)),
    removeTask: (seq) =>
      self.io('nats', 'remove task', () => {
        tasks.remove(seq);
      }),
    hasInputs: (jobId) =>
      self.io('nats', 'look for inputs', () => [...inputs.messages.values()].some(({ subject }) => subject.endsWith(`.${jobId}`))),
    publishEvent: async (jobId, event, at, id) => {
      await events.publish(self, subjects.event(jobId, event.type), versioned({ jobId, at, event }), id);
    },
    lastEventId: (jobId, type) =>
      self.io(
        'nats',
        'get event',
        () => [...events.messages.values()].findLast(({ subject }) => subject === subjects.event(jobId, type))?.id ?? null,
      ),
    publishDeadLetter: async ({ stream, subject, streamSeq }, reason) => {
      await dead.publish(self, subjects.dead('repo-manager'), { subject, reason }, `dead-${stream}.${String(streamSeq)}`);
    },
    skipNumbersGivenOut: () => self.io('nats', 'look for numbers', () => 0),
    oldRequests: () => self.io('nats', 'look for old requests', () => ({ deliveries: [], next: 1 })),
    removeAcknowledged: () => self.io('nats', 'look for acknowledged', () => 0),
    // This server forgets nothing of what it was told: nothing is stranded.
    strandedInputs: () => self.io('nats', 'look for stranded inputs', () => []),
    oldTasks: () => self.io('nats', 'look for old tasks', () => []),
    wake: () => undefined,
    cancel: (taskId) => {
      onCancelled(taskId);
    },
  };
}
