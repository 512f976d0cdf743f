import { z } from 'zod';
import { NO_USAGE } from '../../shared/domain/change.ts';
import { AgentId, JobId, partsOfTaskId, TaskId, type TaskRole } from '../../shared/domain/ids.ts';
import { TerminalError } from '../../shared/errors/errors.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import { TaskMessage } from '../../shared/messages/task.ts';
import { publishDeadLetter } from '../../shared/messaging/dead-letters.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import { type Outcome, outcomeOf, settle } from '../../shared/messaging/outcome.ts';
import { jsonOrNull, parseDelivery } from '../../shared/messaging/parse.ts';
import type { TaskPuller } from '../../shared/messaging/pull.ts';
import { sendReport } from './report.ts';
import { type AttemptContext, attemptTask } from './task-attempt.ts';

export interface WorkLoopOptions extends AttemptContext {
  readonly puller: TaskPuller;
  /** Deliveries of one message that may fail before it is given up. */
  readonly maxDeliveries: number;
  readonly onTask: (taskId: string | undefined) => void;
  readonly onCounted: (end: 'processed' | 'failed') => void;
  readonly onOutcome: (delivery: Delivery, outcome: Outcome) => void;
}

/** One task after the other until `draining` aborts; a task in hand is brought to its end first. */
export async function workLoop(options: WorkLoopOptions, draining: AbortSignal): Promise<void> {
  while (!draining.aborted) {
    const delivery = await options.puller.next(draining).catch(() => null);
    if (!delivery) continue;
    await handle(options, delivery).catch(options.onError);
    options.onTask(undefined);
  }
}

async function handle(options: WorkLoopOptions, delivery: Delivery): Promise<void> {
  const taken = await takeUp(options, delivery);
  if (taken.outcome.type === 'dead') options.onCounted('failed');
  if (!taken.ours) return;
  await settle(delivery, taken.outcome, { bury: (dead, reason) => bury(options, dead, reason), onOutcome: options.onOutcome });
}

interface Taken {
  readonly outcome: Outcome;
  /** Whether the delivery is still ours to answer. */
  readonly ours: boolean;
}

async function takeUp(options: WorkLoopOptions, delivery: Delivery): Promise<Taken> {
  let handBacks = 0;
  try {
    const message = parseDelivery(delivery, TaskMessage);
    requireOwnTask(message.taskId, options.worker.role);
    options.onTask(message.taskId);
    const claim = await options.claims.get(message.taskId);
    handBacks = claim?.value.handBacks ?? 0;
    requireDeliverable(delivery, handBacks, options.maxDeliveries);
    const end = await attemptTask(options, message, delivery, claim);
    if (end.type !== 'dropped') options.onCounted(end.type);
    return { outcome: { type: 'done' }, ours: end.ack };
  } catch (error) {
    const rules = { maxDeliveries: options.maxDeliveries, retryForever: false };
    return { outcome: outcomeOf(error, delivery.deliveries - handBacks, rules), ours: true };
  }
}

/** What lies in another role's queue is nothing to claim. */
function requireOwnTask(taskId: TaskId, role: TaskRole): void {
  if (partsOfTaskId(taskId).role !== role) throw new TerminalError('wrong_subject', `${taskId} is no task of a ${role}.`);
}

/** A message that came too often without anyone saying why: it probably ends the agents that take it. */
function requireDeliverable(delivery: Delivery, handBacks: number, maxDeliveries: number): void {
  if (delivery.deliveries - handBacks > maxDeliveries) throw new PoisonError(delivery.deliveries);
}

class PoisonError extends Error {
  constructor(deliveries: number) {
    super(`no attempt came to an end in ${String(deliveries - 1)} deliveries`);
  }
}

/** The job is told first, so that it never waits for what lies among the dead letters. */
async function bury(options: WorkLoopOptions, delivery: Delivery, reason: { code: string; message: string }): Promise<void> {
  const task = Identified.safeParse(jsonOrNull(delivery.data)).data;
  if (task && partsOfTaskId(task.taskId).role === options.worker.role) {
    const claim = await options.claims.get(task.taskId);
    await sendReport(options.js, options.worker.role, {
      ...versioned({ jobId: task.jobId, taskId: task.taskId, dispatch: task.dispatch, at: options.now() }),
      attempt: claim?.value.attempt ?? task.attemptsBefore + 1,
      agentId: AgentId.parse(options.holder.agentId),
      type: 'TaskFailed',
      error: { code: reason.code, message: reason.message, retryable: true },
      // What attempts cost was told run by run.
      usage: NO_USAGE,
    });
  }
  await publishDeadLetter(options.js, options.worker.role, delivery, reason, options.now());
}

/** As much of a message as it takes to tell its job; even of one that is wrong otherwise. */
const Identified = z.object({
  jobId: JobId,
  taskId: TaskId,
  dispatch: z.number().int().positive(),
  attemptsBefore: z.number().int().nonnegative().catch(0),
});
