import type { JobId } from '../../shared/domain/ids.ts';
import { NotFoundError, TerminalError } from '../../shared/errors/errors.ts';
import { FeatureRequest } from '../../shared/messages/feature-request.ts';
import { InputMessage } from '../../shared/messages/job-input.ts';
import { jobIdIn, subjects } from '../../shared/messages/subjects.ts';
import { UNREADABLE_RECORD } from '../../shared/messaging/bucket.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import type { OutcomeRules } from '../../shared/messaging/outcome.ts';
import { parseDelivery } from '../../shared/messaging/parse.ts';
import { failureOfBuried } from './buried-report.ts';
import type { RepoManagerContext } from './context.ts';
import { requireOwnSubject } from './input-source.ts';
import type { JobHandler } from './job-handler.ts';
import { inputOf, inputOfRequest } from './job-inputs.ts';

/** What becomes of a delivery: parsed, brought to its job, or buried. When one of these resolves, the delivery may be answered. */
export interface Inbox {
  /** A message of REQUESTS. @throws TerminalError for what can't be handled, and whatever handling it threw */
  takeRequest(delivery: Delivery): Promise<void>;
  /** A message of INPUTS. @throws as `takeRequest` */
  takeInput(delivery: Delivery): Promise<void>;
  /** Gives a message up: the job is told first, for it must not wait for ever for what lies among the dead letters. */
  bury(delivery: Delivery, reason: { code: string; message: string }): Promise<void>;
}

/** Deliveries until an input that fails unexpectedly is given up. What is known to pass comes again for ever. */
export const INBOX_RULES: OutcomeRules = { maxDeliveries: 10, retryForever: true };

/** What is wrong with a message says nothing about the effect that its job is at. */
const SAYS_NOTHING: readonly string[] = ['invalid_message', 'wrong_subject', 'no_such_job'];

export function createInbox(context: RepoManagerContext, handler: JobHandler): Inbox {
  return {
    takeRequest: async (delivery) => {
      const request = parseDelivery(delivery, FeatureRequest);
      if (delivery.subject !== subjects.request(request.jobId))
        throw new TerminalError('wrong_subject', `The request is for ${request.jobId}.`);
      await handler.handle(request.jobId, inputOfRequest(request, context.now()));
    },
    takeInput: async (delivery) => {
      const message = parseDelivery(delivery, InputMessage);
      requireOwnSubject(message, delivery.subject);
      await handler.handle(message.jobId, inputOf(message, context.now(), delivery.streamSeq)).catch(asTerminal);
    },
    bury: async (delivery, reason) => {
      const jobId = jobIdIn(delivery.subject);
      if (jobId !== undefined) await tellJob(context, handler, jobId, delivery, reason);
      await context.bus.publishDeadLetter(delivery, reason, context.now());
    },
  };
}

async function tellJob(
  context: RepoManagerContext,
  handler: JobHandler,
  jobId: JobId,
  delivery: Delivery,
  reason: { code: string; message: string },
): Promise<void> {
  // A record that can't be read can't be told anything.
  if (reason.code === UNREADABLE_RECORD) return;
  if (!SAYS_NOTHING.includes(reason.code)) await handler.refuseNext(jobId, reason.message);
  // No effect was in the way: it is the report itself, and nobody else has its result.
  const failure = failureOfBuried(delivery, reason, context.now());
  if (failure) await handler.handle(jobId, failure).catch(ignoreNoJob);
}

/** An input for a job that nobody asked for can't be handled, however often it comes. */
function asTerminal(error: unknown): never {
  if (error instanceof NotFoundError) throw new TerminalError(error.code, error.message, { cause: error });
  throw error;
}

function ignoreNoJob(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
