import { mergeUnderWay } from '../../shared/domain/commands.ts';
import type { JobId } from '../../shared/domain/ids.ts';
import type { JobInput } from '../../shared/domain/input.ts';
import { isTerminal, type Job } from '../../shared/domain/job.ts';
import { InterruptedError, messageOf, MultiAgentError, NotFoundError, RetryableError } from '../../shared/errors/errors.ts';
import type { Entry } from '../../shared/messaging/bucket.ts';
import type { RepoManagerContext } from './context.ts';
import { carryOut } from './effects/carry-out.ts';
import { takeFromOpen, tidyUpAndClose } from './effects/close-job.ts';
import { lookUpMerge } from './effects/look-up-merge.ts';
import { inputOfRequest } from './job-inputs.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { createSettledJobs, type SettledJobs } from './settled-jobs.ts';

export interface JobHandler {
  /**
   * Brings an input to its job: read → what is pending first → decide → compare-and-set, effects inside → carry them out →
   * mark them done. When this resolves the input may be acked. Idempotent as a whole; inputs of one job come one by one.
   *
   * @throws NotFoundError `no_such_job`; RetryableError, or whatever an effect threw: the input is to come again
   */
  handle(jobId: JobId, input: JobInput): Promise<Job>;
  /** Whether an input of the job is in hand. */
  isBusy(jobId: JobId): boolean;
  /** Gives up on the effect that is next in line, after it failed unexpectedly too often. */
  refuseNext(jobId: JobId, message: string): Promise<void>;
  /** From now on every record is read again: the connection was lost, and with it perhaps what the server had acknowledged. */
  forgetRecords(): void;
}

/** How long a job of another host's repo-manager is left for that one (milliseconds). */
const OTHER_HOST_RETRY_MS = 1_000;

export function createJobHandler(context: RepoManagerContext): JobHandler {
  const queue = createKeyedQueue();
  const settled = createSettledJobs();
  const inHand = new Map<JobId, AbortController>();
  const interruptible = async (jobId: JobId, input: JobInput): Promise<Job> => {
    const interrupt = new AbortController();
    inHand.set(jobId, interrupt);
    try {
      return await handleInput({ ...context, stopping: AbortSignal.any([context.stopping, interrupt.signal]) }, settled, jobId, input);
    } finally {
      inHand.delete(jobId);
    }
  };
  return {
    isBusy: (jobId) => queue.isBusy(jobId),
    handle: (jobId, input) => {
      // Checks of a merge may take an hour: who asks for a stop does not wait for them. The input in hand comes again, behind the stop.
      if (input.type === 'StopRequested') inHand.get(jobId)?.abort();
      return queue.run(jobId, () => interruptible(jobId, input));
    },
    refuseNext: (jobId, message) => queue.run(jobId, () => refuseNext(context, jobId, message)),
    forgetRecords: settled.forget,
  };
}

async function refuseNext(context: RepoManagerContext, jobId: JobId, message: string): Promise<void> {
  const error = { code: 'internal_error', message, retryable: true };
  let entry = await context.store.load(jobId);
  const next = entry?.value.pending[0];
  if (!entry) await refuseRequest(context, jobId, message);
  // Written by somebody else meanwhile: given up all the same, unless that one has carried it out.
  while (entry && next && entry.value.pending[0]?.id === next.id) {
    const outcome = (await lookUpMerge(context, entry.value, next)) ?? { type: 'Refused' as const, error };
    const job = context.decide(entry.value, { type: 'EffectFinished', effectId: next.id, outcome, at: context.now() });
    const saved = await context.store.save(job, entry);
    if (saved) {
      await settle(context, saved);
      return;
    }
    entry = await context.store.load(jobId);
  }
}

/** A request that could not even be written down as a job: it is, as one that failed. */
async function refuseRequest(context: RepoManagerContext, jobId: JobId, message: string): Promise<void> {
  const request = await context.bus.request(jobId).catch(() => null);
  if (!request) return;
  const at = context.now();
  const job = context.decide(null, inputOfRequest(request, at));
  const [first] = job.pending;
  if (!first) return;
  const error = { code: 'internal_error', message, retryable: true };
  const refused = context.decide(job, { type: 'EffectFinished', effectId: first.id, outcome: { type: 'Refused', error }, at });
  const saved = await context.store.save(refused, null);
  if (saved) await settle(context, saved);
}

async function handleInput(context: RepoManagerContext, settled: SettledJobs, jobId: JobId, input: JobInput): Promise<Job> {
  for (let known = settled.take(jobId); ; known = undefined) {
    const entry = known ?? (await readySettled(context, jobId, input));
    const job = await decideOn(context, jobId, entry?.value ?? null, input);
    if (job !== entry?.value) {
      const saved = await context.store.save(job, entry);
      // Null: another repo-manager was first. What it decided is read, and decided upon anew.
      if (!saved) continue;
      const end = await settle(context, saved);
      settled.keep(end);
      return end.value;
    }
    // To what is only known from before, the input may say something now.
    if (!known) return job;
  }
}

/** The job with nothing pending. A person's command does not wait for an effect that can't be carried out just now. */
async function readySettled(context: RepoManagerContext, jobId: JobId, input: JobInput): Promise<Entry<Job> | null> {
  const entry = await context.store.load(jobId);
  if (!entry) return null;
  if (await isAnothers(context, entry.value, input)) return isTerminal(entry.value.status) ? settle(context, entry) : entry;
  if (entry.value.pending.length === 0) return entry;
  // The merge itself asks whether it is still wanted, once it has looked whether it has happened.
  if (input.type === 'StopRequested' && mergeUnderWay(entry.value)) return entry;
  try {
    // Somebody may have died over it: what is left is done, and what should have been before is looked at.
    if (!isTerminal(entry.value.status)) await context.store.keepOpen(jobId);
    return await settle(context, entry);
  } catch (error) {
    if (!('commandId' in input)) throw error;
    context.log.warn({ jobId, err: error }, 'a command goes before an effect that fails');
    return context.store.load(jobId);
  }
}

/** An input may come before its job's request was handled: then the request is decided upon first, in the same write. */
async function decideOn(context: RepoManagerContext, jobId: JobId, job: Job | null, input: JobInput): Promise<Job> {
  if (job !== null || input.type === 'FeatureRequested') return context.decide(job, input);
  const request = await context.bus.request(jobId);
  if (!request) throw new NotFoundError('no_such_job', `There is no job ${jobId}.`);
  return context.decide(context.decide(null, inputOfRequest(request, context.now())), input);
}

/** Carries out what is pending until nothing is. Effects decided meanwhile are stored before they are carried out. */
async function settle(context: RepoManagerContext, entry: Entry<Job>): Promise<Entry<Job>> {
  let current = entry;
  let overtaken = false;
  while (current.value.pending.length > 0) {
    const job = await carryOutStored(context, current);
    const saved = await context.store.save(job, current);
    overtaken ||= saved === null;
    current = saved ?? (await reload(context, current.value.id));
  }
  if (!isTerminal(current.value.status)) return current;
  if (overtaken) await tidyUpAgain(context, current.value);
  else await takeFromOpen(context, current.value);
  return current;
}

/** Carries out, in order, the effects that stand in the stored record, as long as the outcomes leave them standing. */
async function carryOutStored(context: RepoManagerContext, stored: Entry<Job>): Promise<Job> {
  let job = stored.value;
  for (const pending of stored.value.pending) {
    if (!job.pending.some(({ id }) => id === pending.id)) continue;
    const outcome = await carryOut(context, job, pending).catch(async (error: unknown) => {
      await noteDelay(context, stored, job, pending.id, error);
      throw error;
    });
    job = context.decide(job, { type: 'EffectFinished', effectId: pending.id, outcome, at: context.now() });
  }
  return job;
}

/** Writes down what was carried out so far, and why it stops here: a job that does not move shows what it waits for. */
async function noteDelay(context: RepoManagerContext, stored: Entry<Job>, job: Job, effectId: number, error: unknown): Promise<void> {
  const code = error instanceof MultiAgentError ? error.code : 'unexpected';
  // One that was ended on purpose is not held up by anything.
  const isHeldUp = !(error instanceof InterruptedError);
  const delayed = isHeldUp
    ? context.decide(job, { type: 'EffectDelayed', effectId, code, message: messageOf(error), at: context.now() })
    : job;
  const saved = delayed === stored.value ? stored : await context.store.save(delayed, stored);
  if (saved) return;
  const now = await reload(context, job.id);
  if (isTerminal(now.value.status)) await tidyUpAgain(context, now.value);
}

/**
 * Another repo-manager has brought the job to its end, and perhaps tidied up before we made what we have just made. The job is among the
 * open ones until that is done: should it fail, or this process die over it, a sweep finds it there.
 */
async function tidyUpAgain(context: RepoManagerContext, job: Job): Promise<void> {
  await context.store.keepOpen(job.id);
  await tidyUpAndClose(context, job);
}

async function reload(context: RepoManagerContext, jobId: JobId): Promise<Entry<Job>> {
  const entry = await context.store.load(jobId);
  if (!entry) throw new NotFoundError('no_such_job', `The record of ${jobId} is gone.`);
  return entry;
}

/**
 * Whether the job is one of another home that has no repo-manager any more, and is asked to stop: all that can be done about it here. A
 * path means the home of the repo-manager that took the job on, so everything else is for that one.
 *
 * @throws RetryableError `other_host`
 */
async function isAnothers({ host, otherHomes }: RepoManagerContext, job: Job, input: JobInput): Promise<boolean> {
  if (job.host === undefined || job.host === host) return false;
  // Whether a merge has happened can be seen only there.
  const canBeStopped = input.type === 'StopRequested' && !mergeUnderWay(job);
  if (canBeStopped && otherHomes && !(await otherHomes.isUp(job.host))) return true;
  const retryAfterMs = OTHER_HOST_RETRY_MS;
  throw new RetryableError('other_host', `The job belongs to the repo-manager of the home ${job.host}.`, { retryAfterMs });
}
