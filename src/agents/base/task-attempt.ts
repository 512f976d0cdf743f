import type { JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Usage } from '../../shared/domain/change.ts';
import type { JobEvent } from '../../shared/domain/event.ts';
import { InterruptedError, RetryableError } from '../../shared/errors/errors.ts';
import type { Claim } from '../../shared/messages/agent.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import type { AgentReport } from '../../shared/messages/job-input.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import type { TaskMessage } from '../../shared/messages/task.ts';
import type { Bucket, Entry } from '../../shared/messaging/bucket.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import { createLogWriter } from '../../shared/messaging/log-writer.ts';
import { untilAnswered } from '../../shared/messaging/until-answered.ts';
import { claimTask, type ClaimHolder, type HeldClaim } from './claim.ts';
import { publishEvent, sendReport } from './report.ts';
import { createSpending, type Spending } from './spending.ts';
import type { EndReason, TaskEnd, TaskRun, TaskWorker } from './task-worker.ts';

export interface AttemptContext {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly claims: Bucket<Claim>;
  readonly open: Bucket<unknown>;
  readonly holder: ClaimHolder;
  readonly worker: TaskWorker;
  /** How often a task in hand renews its lease and reads its claim again (milliseconds). */
  readonly workingEveryMs: number;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
  /** Aborted when the daemon stops and can't wait for the task any longer. */
  readonly stopping: AbortSignal;
}

/** What became of a delivery, for the counters. `ack: false` leaves it to whoever holds it now. */
export interface AttemptEnd {
  readonly type: 'processed' | 'failed' | 'dropped';
  readonly ack: boolean;
}

/**
 * Takes up one task and brings it to its end: claim → still wanted? → start → work → still ours? → report → ack.
 *
 * @param claim the task's claim as it was read a moment ago, null: there was none
 * @throws InterruptedError when the task was handed back, RetryableError and TerminalError as the worker threw them
 */
export async function attemptTask(
  context: AttemptContext,
  message: TaskMessage,
  delivery: Delivery,
  claim: Entry<Claim> | null,
): Promise<AttemptEnd> {
  const held = await claimTask(context.claims, message, delivery.streamSeq, context.holder, claim);
  if (!held) return { type: 'dropped', ack: true };
  // Looked up after the claim is there: a job that ends from now on finds the claim and removes it.
  // If it ended before, the claim is left to the sweep: an agent may delete nothing.
  if (!(await context.open.get(message.jobId))) return { type: 'dropped', ack: true };

  const watch = watchClaim(context, held, delivery, message);
  const spending = createSpending(
    (spent) =>
      sendReport(context.js, context.worker.role, { ...reportHead(context, message, held.claim), type: 'UsageReported', ...spent }),
    context.onError,
  );
  const log = createLogWriter(context.js, { jobId: message.jobId, taskId: message.taskId, attempt: held.claim.attempt, now: context.now });
  try {
    const run = runOf(context, message, held, watch.signal, spending, (entry) => {
      log.write({ at: context.now(), ...entry });
    });
    const end = await doWork(context, message, held, run);
    return await conclude(context, message, held, end, spending.total());
  } catch (error) {
    // A delivery that somebody else holds by now is not ours to answer, nor is its job ours to fail.
    if (error instanceof InterruptedError || (await untilAnswered(() => held.isStillOurs()))) throw error;
    return { type: 'dropped', ack: await isOursToAck(held) };
  } finally {
    watch.stop();
    await log.close();
    // Before the delivery is answered: the next attempt is not to begin on a budget that is used up.
    await spending.told();
  }
}

/** Whatever was ended by the signal, at whichever step, was interrupted; everything else is the worker's own. */
async function doWork(context: AttemptContext, message: TaskMessage, held: HeldClaim, run: TaskRun): Promise<TaskEnd> {
  try {
    await announceStart(context, message, held.claim, run);
    return await context.worker.work(run);
  } catch (error) {
    if (error instanceof InterruptedError || error === run.signal.reason) return { type: 'interrupted' };
    throw error;
  }
}

function runOf(
  context: AttemptContext,
  message: TaskMessage,
  held: HeldClaim,
  signal: AbortSignal,
  spending: Spending,
  log: TaskRun['log'],
): TaskRun {
  let facts = 0;
  return {
    message,
    claim: held.claim,
    mark: `${context.holder.agentId}:${String(held.claim.attempt)}`,
    signal,
    log,
    spend: spending.add,
    emit: (event: JobEvent) => {
      const id = `${message.taskId}.${String(held.claim.dispatch)}.${String(held.claim.attempt)}.fact.${String(facts++)}`;
      publishEvent(context.js, message.jobId, event, context.now(), id).catch(context.onError);
    },
  };
}

async function announceStart(context: AttemptContext, message: TaskMessage, claim: Claim, run: TaskRun): Promise<void> {
  run.emit({
    type: 'TaskStarted',
    taskId: message.taskId,
    role: context.worker.role,
    round: message.round,
    attempt: claim.attempt,
    agentId: claim.agentId,
    runner: context.worker.runner,
  });
  await sendReport(context.js, context.worker.role, { ...reportHead(context, message, claim), type: 'TaskStarted' }, run.signal);
}

async function conclude(context: AttemptContext, message: TaskMessage, held: HeldClaim, end: TaskEnd, usage: Usage): Promise<AttemptEnd> {
  if (end.type === 'interrupted') return letGo(context, held, end);
  // The last look before the effect: a lease that was lost meanwhile makes this attempt one too many.
  if (!(await untilAnswered(() => held.isStillOurs()))) return letGo(context, held, { type: 'interrupted' });
  await sendReport(context.js, context.worker.role, reportOf(context, message, held.claim, end, usage));
  // Should the acknowledgement be lost, nobody does it again. That this is not known is no failure of what is done.
  const isMarked = await held.markReported().catch(context.onError);
  // Where the mark could be set, no other attempt had begun by then, and none begins any more. Else it is looked at again.
  return { type: end.type === 'failed' ? 'failed' : 'processed', ack: isMarked === true || (await isOursToAck(held)) };
}

/** The task goes on elsewhere, or not at all. */
async function letGo(context: AttemptContext, held: HeldClaim, end: Extract<TaskEnd, { type: 'interrupted' }>): Promise<AttemptEnd> {
  if (await untilAnswered(() => held.isStillOurs())) {
    if (!context.stopping.aborted) throw new RetryableError('interrupted', 'The run was interrupted for no reason that is known.');
    // Somebody has taken it up, or taken it away, since we looked: the message is theirs, and not to be sent back.
    if (!(await held.handBack(end.wip))) return { type: 'dropped', ack: await isOursToAck(held) };
    throw new InterruptedError('handed_back', 'The daemon stops; the task was handed back.');
  }
  return { type: 'dropped', ack: await isOursToAck(held) };
}

/** An ack counts whoever sends it: while a later attempt works on this very message, it is not ours to acknowledge. */
async function isOursToAck(held: HeldClaim): Promise<boolean> {
  return (await untilAnswered(() => held.heldBy())) !== 'later_attempt';
}

function reportOf(
  context: AttemptContext,
  message: TaskMessage,
  claim: Claim,
  end: Exclude<TaskEnd, { type: 'interrupted' }>,
  usage: Usage,
): AgentReport {
  const head = reportHead(context, message, claim);
  switch (end.type) {
    case 'implemented':
      return { ...head, type: 'ImplementationResult', ...end.implementation, usage };
    case 'reviewed':
      return { ...head, type: 'ReviewResult', review: end.review, usage };
    case 'failed':
      return {
        ...head,
        type: 'TaskFailed',
        error: end.error,
        usage,
        ...(end.checks ? { checks: end.checks } : {}),
        ...(end.work ? { work: end.work } : {}),
      };
  }
}

export function reportHead(
  context: Pick<AttemptContext, 'now' | 'holder'>,
  message: TaskMessage,
  claim: Pick<Claim, 'dispatch' | 'attempt'>,
) {
  return versioned({
    jobId: message.jobId,
    taskId: message.taskId,
    dispatch: claim.dispatch,
    attempt: claim.attempt,
    agentId: context.holder.agentId,
    at: context.now(),
    ...(message.traceparent === undefined ? {} : { traceparent: message.traceparent }),
  });
}

/** Renews the lease, and ends the run when the claim is no longer ours or the daemon stops. */
function watchClaim(
  context: AttemptContext,
  held: HeldClaim,
  delivery: Delivery,
  message: TaskMessage,
): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const end = (reason: EndReason): void => {
    controller.abort(reason);
  };
  const look = (): void => {
    held.isStillOurs().then((ours) => {
      if (!ours) end('revoked');
    }, context.onError);
  };
  const timer = setInterval(() => {
    delivery.working();
    look();
  }, context.workingEveryMs);
  const cancelled = context.nc.subscribe(subjects.cancel(message.taskId), { callback: look });
  const stop = (): void => {
    end('stopping');
  };
  if (context.stopping.aborted) stop();
  context.stopping.addEventListener('abort', stop);
  return {
    signal: controller.signal,
    stop: () => {
      clearInterval(timer);
      cancelled.unsubscribe();
      context.stopping.removeEventListener('abort', stop);
    },
  };
}
