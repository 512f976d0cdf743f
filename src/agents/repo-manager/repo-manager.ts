import { JobId } from '../../shared/domain/ids.ts';
import { NotFoundError, TerminalError } from '../../shared/errors/errors.ts';
import { FeatureRequest } from '../../shared/messages/feature-request.ts';
import { InputMessage } from '../../shared/messages/job-input.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { UNREADABLE_RECORD } from '../../shared/messaging/bucket.ts';
import { consume, type ConsumeOptions, handleDelivery } from '../../shared/messaging/consume.ts';
import { publishDeadLetter } from '../../shared/messaging/dead-letters.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import { startHeartbeat } from '../../shared/messaging/heartbeat.ts';
import type { Outcome } from '../../shared/messaging/outcome.ts';
import { requireTopology, type TopologySettings } from '../../shared/messaging/provision.ts';
import { parseDelivery } from '../../shared/messaging/parse.ts';
import { REPO_MANAGER_CONSUMER, STREAMS } from '../../shared/messaging/topology.ts';
import type { Heartbeat } from '../../shared/messages/agent.ts';
import { failureOfBuried } from './buried-report.ts';
import { serveBundles } from './bundle-service.ts';
import type { RepoManagerContext } from './context.ts';
import { requireOwnSubject } from './input-source.ts';
import { createJobHandler, type JobHandler } from './job-handler.ts';
import { inputOf, inputOfRequest } from './job-inputs.ts';
import { sweep } from './sweep.ts';

export interface RepoManagerOptions {
  readonly context: RepoManagerContext;
  readonly version: string;
  /** How often open jobs are looked at (milliseconds). Default 60,000. */
  readonly sweepEveryMs?: number;
  /** How old an input or a task of an ended job is (milliseconds) when a sweep takes it for one that nobody is given any more. Default 120,000. */
  readonly strandedAfterMs?: number;
  /** What the queues have to be like for it to start. Default: whatever they are. */
  readonly topology?: TopologySettings;
  /** How often an input in hand renews its lease (milliseconds). Default 3,000: well within the ack wait of 10 s. */
  readonly workingEveryMs?: number;
}

export interface RunningRepoManager {
  /** Takes no more inputs and waits for those in hand; when `deadline` (default: none) aborts, what they run is ended, and they come again. */
  stop(deadline?: AbortSignal): Promise<void>;
  /** Settles when it has ended, whyever. */
  readonly closed: Promise<void>;
}

const SWEEP_EVERY_MS = 60_000;
const STRANDED_AFTER_MS = 120_000;
const REQUESTS_PREFETCH = 16;
const INPUTS_PREFETCH = 64;
/** What is wrong with a message says nothing about the effect that its job is at. */
const SAYS_NOTHING: readonly string[] = ['invalid_message', 'wrong_subject', 'no_such_job'];
/** Deliveries until an input that fails unexpectedly is given up. What is known to pass comes again for ever. */
const RULES = { maxDeliveries: 10, retryForever: true };

/** Starts a repo-manager: ready when this resolves. */
export async function startRepoManager(options: RepoManagerOptions): Promise<RunningRepoManager> {
  const stopping = new AbortController();
  const context: RepoManagerContext = { ...options.context, stopping: stopping.signal };
  await requireTopology(context.nc, options.topology);
  const handler = createJobHandler(context);
  const running: Running = { context, handler, workingEveryMs: options.workingEveryMs };
  const heartbeat = await startHeartbeat(context.nc, vitalsOf(options), (error) => {
    context.log.error({ err: error }, 'no heartbeat');
  });
  const service = serveBundles(context);
  const requests = consumerOf(running, STREAMS.requests, async (delivery) => {
    const request = parseDelivery(delivery, FeatureRequest);
    if (delivery.subject !== subjects.request(request.jobId))
      throw new TerminalError('wrong_subject', `The request is for ${request.jobId}.`);
    await handler.handle(request.jobId, inputOfRequest(request, context.now()));
  });
  const inputs = consumerOf(running, STREAMS.inputs, async (delivery) => {
    const message = parseDelivery(delivery, InputMessage);
    requireOwnSubject(message, delivery.subject);
    await handler.handle(message.jobId, inputOf(message, context.now(), delivery.streamSeq)).catch(asTerminal);
  });
  const loops = await Promise.all([
    consume(context.nc, { ...requests, prefetch: REQUESTS_PREFETCH }),
    consume(context.nc, { ...inputs, prefetch: INPUTS_PREFETCH }),
  ]);
  const takeUp = (delivery: Delivery): Promise<void> => handleDelivery(delivery, inputs).catch(inputs.onError);
  const strandings = { afterMs: options.strandedAfterMs ?? STRANDED_AFTER_MS, takeUp };
  const sweeping = startSweeping(() => sweep(context, handler, strandings), context, options.sweepEveryMs ?? SWEEP_EVERY_MS);
  // With one of the two gone it is no repo-manager any more: the supervisor starts a new one.
  const closed = Promise.race(loops.map((loop) => loop.closed));
  return {
    closed,
    stop: async (deadline) => {
      if (deadline?.aborted === true) stopping.abort();
      deadline?.addEventListener('abort', () => {
        stopping.abort();
      });
      service.unsubscribe();
      await Promise.all([...loops.map((loop) => loop.stop()), sweeping.stop()]);
      await heartbeat.stop();
    },
  };
}

interface Running {
  readonly context: RepoManagerContext;
  readonly handler: JobHandler;
  readonly workingEveryMs: number | undefined;
}

function consumerOf(
  { context, handler, workingEveryMs }: Running,
  stream: string,
  handle: (delivery: Delivery) => Promise<void>,
): Omit<ConsumeOptions, 'prefetch'> {
  return {
    stream,
    consumer: REPO_MANAGER_CONSUMER,
    rules: RULES,
    ...(workingEveryMs === undefined ? {} : { workingEveryMs }),
    handle,
    bury: (delivery, reason) => bury(context, handler, delivery, reason),
    onOutcome: (delivery, outcome) => {
      logOutcome(context, delivery, outcome);
    },
    onError: (error) => {
      context.log.error({ err: error }, 'consuming went wrong');
    },
  };
}

/** An input for a job that nobody asked for can't be handled, however often it comes. */
function asTerminal(error: unknown): never {
  if (error instanceof NotFoundError) throw new TerminalError(error.code, error.message, { cause: error });
  throw error;
}

/** The job is told first: it must not wait for ever for what lies among the dead letters. */
async function bury(
  context: RepoManagerContext,
  handler: JobHandler,
  delivery: Delivery,
  reason: { code: string; message: string },
): Promise<void> {
  const jobId = JobId.safeParse(delivery.subject.split('.').at(-1)).data;
  if (jobId !== undefined) await tellJob(context, handler, jobId, delivery, reason);
  await publishDeadLetter(context.js, 'repo-manager', delivery, reason, context.now());
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

function ignoreNoJob(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}

function startSweeping(sweepOnce: () => ReturnType<typeof sweep>, { log }: RepoManagerContext, everyMs: number): { stop(): Promise<void> } {
  let sweeping: Promise<void> | undefined;
  const left = new Set<Promise<void>>();
  const once = (): void => {
    // One that takes longer than the interval is not joined by another.
    sweeping ??= sweepOnce()
      .then((working) => {
        for (const work of working) {
          left.add(work);
          void work.then(() => left.delete(work));
        }
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'the sweep went wrong');
      })
      .finally(() => {
        sweeping = undefined;
      });
  };
  once();
  const timer = setInterval(once, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await sweeping;
      await Promise.all(left);
    },
  };
}

function vitalsOf({ context, version }: RepoManagerOptions): () => Omit<Heartbeat, 'beat' | 'v'> {
  const startedAt = context.now();
  return () => ({
    agentId: context.agentId,
    role: 'repo-manager',
    incarnation: context.incarnation,
    pid: process.pid,
    host: context.host,
    state: 'idle',
    counters: { tasksProcessed: 0, tasksFailed: 0 },
    rssBytes: process.memoryUsage.rss(),
    version,
    startedAt,
  });
}

function logOutcome(context: RepoManagerContext, delivery: Delivery, outcome: Outcome): void {
  if (outcome.type === 'done') return;
  const error = 'error' in outcome ? outcome.error : undefined;
  context.log.warn(
    { subject: delivery.subject, deliveries: delivery.deliveries, outcome: outcome.type, err: error },
    'an input was not settled',
  );
}
