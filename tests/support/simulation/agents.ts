import { TimeoutError } from '@nats-io/transport-node';
import { claimTask, type HeldClaim } from '../../../src/agents/base/claim.ts';
import { reportIdOf } from '../../../src/agents/base/report.ts';
import { NO_USAGE } from '../../../src/shared/domain/change.ts';
import { partsOfTaskId, type TaskRole } from '../../../src/shared/domain/ids.ts';
import type { Decision } from '../../../src/shared/domain/review.ts';
import { RetryableError } from '../../../src/shared/errors/errors.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import type { AgentReport } from '../../../src/shared/messages/job-input.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { type BundleAnswer, type BundleNeed, type TaskMessage } from '../../../src/shared/messages/task.ts';
import { bundleName } from '../../../src/shared/messaging/bundle-store.ts';
import type { Delivery } from '../../../src/shared/messaging/delivery.ts';
import { type Outcome, outcomeOf, settle } from '../../../src/shared/messaging/outcome.ts';
import { untilAnswered } from '../../../src/shared/messaging/until-answered.ts';
import { readBundle, type Tree, writeBundle } from './code.ts';
import type { Luck } from './luck.ts';
import type { Incarnation } from './process.ts';
import type { Server } from './server.ts';

/** What agents work with. */
export interface AgentWorld {
  readonly server: Server;
  readonly luck: Luck;
  /** The commits in the cache that the agents of the host share. */
  readonly cache: Set<string>;
  /** Asks a repo-manager for a bundle; not answered where there is none. */
  readonly askForBundle: (self: Incarnation, need: BundleNeed) => Promise<BundleAnswer>;
  /** Calls back when somebody says that the task is no longer wanted. @returns ends it */
  readonly onCancel: (taskId: string, look: () => void) => () => void;
}

const RULES = { maxDeliveries: 5, retryForever: false };
const WORKING_EVERY_MS = 3_000;
/** Rarer than in earnest: a forge that is down is asked long enough. */
const NEED_AGAIN_MS = 5_000;
/** What each run of a runner costs. */
const USAGE = { inputTokens: 1, outputTokens: 1, costUsd: 0.1 };
const RUNS_MS = [20, 400, 6_000, 40_000] as const;

/** A coder or reviewer as a process of the world: it takes one task at a time, by the protocol of `agents/base`. */
export function startAgent(self: Incarnation, role: TaskRole, world: AgentWorld): void {
  let isIdle = true;
  const consumer = world.server.taskConsumers[role];
  void reportAbandoned(self, role, world);
  consumer.join({
    self,
    mayTake: () => isIdle,
    take: (delivery) => {
      isIdle = false;
      void takeUp(self, role, world, delivery).finally(() => {
        isIdle = true;
        consumer.look();
      });
    },
  });
}

async function reportAbandoned(self: Incarnation, role: TaskRole, world: AgentWorld): Promise<void> {
  const claims = await untilAnswered(() => world.server.claims.of(self).all(), self.clock);
  for (const { value } of claims) {
    if (value.agentId !== self.process || value.incarnation === self.id || value.handedBack || value.reported === true) continue;
    const { taskId, dispatch, attempt } = value;
    await report(self, role, world, {
      ...versioned({ jobId: partsOfTaskId(taskId).jobId, taskId, dispatch, attempt, agentId: self.process, at: self.now() }),
      type: 'TaskFailed',
      error: { code: 'abandoned', message: 'It ended while it had the task.', retryable: true },
      usage: NO_USAGE,
    });
  }
}

async function takeUp(self: Incarnation, role: TaskRole, world: AgentWorld, delivery: Delivery): Promise<void> {
  const message = JSON.parse(new TextDecoder().decode(delivery.data)) as TaskMessage;
  let outcome: Outcome;
  try {
    if (delivery.deliveries > RULES.maxDeliveries) throw new Error('no attempt came to an end');
    if (!(await attempt(self, role, world, message, delivery))) return;
    outcome = { type: 'done' };
  } catch (error) {
    outcome = outcomeOf(error, delivery.deliveries, RULES);
  }
  await settle(delivery, outcome, { bury: (_, reason) => bury(self, role, world, message, reason) }).catch(() => undefined);
}

async function bury(
  self: Incarnation,
  role: TaskRole,
  world: AgentWorld,
  { jobId, taskId, dispatch, attemptsBefore }: TaskMessage,
  { code, message }: { code: string; message: string },
): Promise<void> {
  const claim = await world.server.claims.of(self).get(taskId);
  await report(self, role, world, {
    ...versioned({ jobId, taskId, dispatch, agentId: self.process, at: self.now() }),
    attempt: claim?.value.attempt ?? attemptsBefore + 1,
    type: 'TaskFailed',
    error: { code, message, retryable: true },
    usage: NO_USAGE,
  });
}

/** Claim → still wanted? → start → work → still ours? → report. @returns whether the delivery is ours to acknowledge */
async function attempt(self: Incarnation, role: TaskRole, world: AgentWorld, message: TaskMessage, delivery: Delivery): Promise<boolean> {
  const { server } = world;
  const held = await claimTask(server.claims.of(self), message, delivery.streamSeq, { agentId: self.process, incarnation: self.id });
  if (!held) return true;
  // The claim is left to the sweep: an agent may delete nothing.
  if (!(await server.open.of(self).get(message.jobId))) return true;
  const revoked = new AbortController();
  const look = (): void => {
    held.isStillOurs().then(
      (ours) => {
        if (!ours) revoked.abort();
      },
      () => undefined,
    );
  };
  const stopRenewing = self.clock.every(WORKING_EVERY_MS, () => {
    delivery.working();
    look();
  });
  const stopListening = world.onCancel(message.taskId, () => {
    self.hear(look);
  });
  const head = reportHead(self, message, held);
  try {
    await report(self, role, world, { ...head, type: 'TaskStarted' });
    await fillCache(self, world, message, held);
    await self.clock.sleep(RUNS_MS[world.luck.pick(`${self.process} runs for`, RUNS_MS.length)] ?? 0);
    const end = revoked.signal.aborted ? undefined : await work(self, world, message, held);
    if (end) await report(self, role, world, { ...head, type: 'UsageReported', usage: USAGE, runs: 1 });
    if (!end || !(await untilAnswered(() => held.isStillOurs(), self.clock))) return await isOursToAck(self, held);
    await report(self, role, world, { ...head, ...end } as AgentReport);
    await held.markReported().catch(() => undefined);
    return await isOursToAck(self, held);
  } catch (error) {
    if (await untilAnswered(() => held.isStillOurs(), self.clock)) throw error;
    return await isOursToAck(self, held);
  } finally {
    stopRenewing();
    stopListening();
  }
}

async function isOursToAck(self: Incarnation, held: HeldClaim): Promise<boolean> {
  return (await untilAnswered(() => held.heldBy(), self.clock)) !== 'later_attempt';
}

function reportHead(self: Incarnation, { jobId, taskId }: TaskMessage, { claim }: HeldClaim) {
  return versioned({ jobId, taskId, dispatch: claim.dispatch, attempt: claim.attempt, agentId: self.process, at: self.now() });
}

async function report(self: Incarnation, role: TaskRole, world: AgentWorld, message: AgentReport): Promise<void> {
  await world.server.inputs.publish(self, subjects.input(role, message.jobId), message, reportIdOf(message));
}

/** As `fillCache` of the agents: from the task's bundle, or from one that a repo-manager makes. */
async function fillCache(
  self: Incarnation,
  { server, cache, askForBundle }: AgentWorld,
  message: TaskMessage,
  held: HeldClaim,
): Promise<void> {
  const wanted = message.type === 'ReviewRequest' ? [message.headCommit, message.baseCommit] : [message.startCommit, message.mergeWith];
  const isFull = (): boolean => wanted.every((commit) => commit === undefined || cache.has(commit));
  const key = Buffer.from(message.bundleKey, 'base64');
  let { bundle } = message;
  for (let asked = 0; !isFull() && asked < 4; asked++) {
    if (bundle && (await tryBundle(bundle))) continue;
    bundle = await ask();
  }
  if (!isFull()) throw new RetryableError('bundle_unusable', 'The bundles could not be used.');

  async function tryBundle(ref: NonNullable<typeof bundle>): Promise<boolean> {
    const bytes = await server.bundles
      .of(self)
      .get(ref, key)
      .catch(() => undefined);
    if (!bytes) return false;
    const { tips, prerequisites } = readBundle(bytes);
    if (!prerequisites.every((commit) => cache.has(commit))) return false;
    for (const { id } of tips) for (const one of server.commits.of(id).history) cache.add(one);
    return true;
  }

  async function ask(): Promise<typeof bundle> {
    const { jobId, taskId, dispatch } = message;
    const need = versioned({
      type: 'BundleNeed' as const,
      jobId,
      taskId,
      dispatch,
      attempt: held.claim.attempt,
      have: [...cache].slice(-20),
    });
    for (;;) {
      if (!(await untilAnswered(() => held.isStillOurs(), self.clock))) throw new RetryableError('interrupted', 'No longer wanted.');
      const answer = await askForBundle(self, need).catch((error: unknown) => {
        if (error instanceof TimeoutError) return undefined;
        throw error;
      });
      if (answer?.type === 'BundleMade') return answer.bundle;
      if (answer?.code === 'bundle_not_needed') return undefined;
      await self.clock.sleep(NEED_AGAIN_MS);
    }
  }
}

type End = Pick<AgentReport, 'type'> & Record<string, unknown>;

async function work(self: Incarnation, world: AgentWorld, message: TaskMessage, held: HeldClaim): Promise<End> {
  const how = world.luck.draw(`${self.process} runner fails`, 0.08, 3);
  if (how === 1) throw new RetryableError('setup_failed', 'The setup failed.');
  const error = { code: 'runner_failed', message: 'The runner failed.', retryable: true };
  const usage = USAGE;
  if (how === 2 || (how === 3 && message.type === 'ReviewRequest')) return { type: 'TaskFailed', error, usage };
  if (message.type === 'ReviewRequest') {
    const { round, headCommit } = message;
    return { type: 'ReviewResult', review: { round, headCommit, decision: verdict(self, world), summary: 'Looked.', comments: [] }, usage };
  }
  const done = await implement(self, world, message, held);
  if (how === 3) return { type: 'TaskFailed', error, usage, work: done };
  return { type: 'ImplementationResult', ...done, summary: 'Done.', commits: [], filesChanged: [], checks: [], usage };
}

function verdict(self: Incarnation, { luck, server }: AgentWorld): Decision {
  const other = luck.draw(`${self.process} verdict`, 0.25, 3);
  const decision = (['APPROVE', 'REQUEST_CHANGES', 'REQUEST_CHANGES', 'COMMENT'] as const)[other] ?? 'APPROVE';
  server.tell(`${self.process} says ${decision}`);
  return decision;
}

async function implement(
  self: Incarnation,
  { server, luck }: AgentWorld,
  message: Extract<TaskMessage, { type: 'ImplementationRequest' }>,
  held: HeldClaim,
) {
  const { startCommit, mergeWith, jobId, round } = message;
  const before = mergeWith === undefined ? server.commits.of(startCommit).tree : server.commits.merge(startCommit, mergeWith).tree;
  const parents = mergeWith === undefined ? [startCommit] : [startCommit, mergeWith];
  // A runner does not write the same twice.
  const text = `round ${String(round)}${luck.pick(`${self.process} writes`, 2) === 0 ? '' : `, attempt ${String(held.claim.attempt)}`}`;
  const commit = server.commits.make({ parents, tree: change(before, jobId, text, luck, self), message: `${jobId} ${String(round)}` });
  const bytes = writeBundle({ tips: [{ id: commit.id, ref: 'refs/heads/work' }], prerequisites: parents });
  const name = bundleName(message.repositoryKey, message.taskId, held.claim.attempt, 'out');
  const key = Buffer.from(message.bundleKey, 'base64');
  const bundle = await untilAnswered(() => server.bundles.of(self).put(name, bytes, key, commit.id), self.clock);
  return { bundle, startCommit, headCommit: commit.id };
}

/** The job's own file; sometimes one that others change too; and what the change needs of the rest of the tree. */
function change(before: Tree, jobId: string, text: string, luck: Luck, self: Incarnation): Tree {
  const resolved = Object.fromEntries(
    Object.entries(before).map(([path, was]) => [path, was.startsWith('<<<') ? `${jobId}: ${text}` : was]),
  );
  const shared =
    luck.draw(`${self.process} changes a file that others change too`, 0.2, 1) === 1 ? { 'shared.txt': `${jobId}: ${text}` } : {};
  return { ...resolved, ...shared, [`work-${jobId}`]: text, [`needs-${jobId}`]: resolved['interface'] ?? '' };
}

/** Whether the checks of the repository pass on a tree: whatever was built, was built for the interface that is there. */
export function isGreen(tree: Tree): boolean {
  return Object.entries(tree).every(([path, text]) => !path.startsWith('needs-') || text === (tree['interface'] ?? ''));
}
