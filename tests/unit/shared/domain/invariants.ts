import { isDeepStrictEqual } from 'node:util';
import type { decide } from '../../../../src/shared/domain/decide.ts';
import type { Effect } from '../../../../src/shared/domain/effect.ts';
import type { AttemptRef, JobInput } from '../../../../src/shared/domain/input.ts';
import { isTerminal, Job, reviewRounds } from '../../../../src/shared/domain/job.ts';
import { isCurrent } from '../../../../src/shared/domain/step.ts';

export type Decide = typeof decide;

/** Somebody's word on a head: a verdict, or a person's command. */
interface Word {
  readonly headCommit: string;
  readonly by: 'reviewer' | 'person';
  readonly approves: boolean;
}

/** An invariant is broken; the message names it. */
function broken(what: string, job: Job): never {
  throw new Error(`${what}: ${JSON.stringify(job)}`);
}

function holds(condition: boolean, what: string, job: Job): void {
  if (!condition) broken(what, job);
}

/** Reading a record back is the dearest look; some of the records of ten thousand worlds are enough. */
const PARSED_EVERY = 6;

/** What must hold of any record by itself, as it lies in the bucket. @throws Error naming what does not */
export function checkStoredJob(job: Job): void {
  checkNumbers(job);
  checkWaits(job);
}

/** Calls `decide` and looks at every step, with a memory of what has been before. */
export function createWatch(decideJob: Decide) {
  const words: Word[] = [];
  const spent = new Map<string, number>();
  const fences = new Map<string, { dispatch: number; attempt: number }>();
  let merges = 0;
  let records = 0;
  let said = '';

  function remember(before: Job, input: JobInput, after: Job): void {
    for (const { headCommit, decision } of after.reviews.slice(before.reviews.length)) {
      const by = input.type === 'RejectRequested' ? 'person' : 'reviewer';
      if (decision !== 'COMMENT') words.push({ headCommit, by, approves: decision === 'APPROVE' });
    }
    if (input.type === 'ApproveRequested' && newlyAccepted(before, after, input.commandId) && before.headCommit !== undefined) {
      words.push({ headCommit: before.headCommit, by: 'person', approves: true });
    }
  }

  /** The newest word on the head is an approval; where a person decides about merges, a person's. */
  function isApproved(job: Job, headCommit: string): boolean {
    const last = words.findLast((word) => word.headCommit === headCommit && (job.workflow.merge === 'auto' || word.by === 'person'));
    return last?.approves === true;
  }

  function checkFences(job: Job): void {
    const sent = job.pending.flatMap(({ effect }) => (effect.type === 'SendTask' ? [effect] : []));
    const seen = [
      ...sent.map((send) => ({ id: send.taskId, dispatch: send.dispatch, attempt: send.attemptsBefore })),
      job.lastTask,
      job.task,
    ];
    for (const task of seen) {
      if (!task) continue;
      const known = fences.get(task.id);
      if (!known) {
        fences.set(task.id, task);
        continue;
      }
      // A SendTask that stays pending says what was known when it was decided; what counts are the task itself and its successors.
      if (sent.some((send) => send.taskId === task.id && send.dispatch === task.dispatch) && task.dispatch === known.dispatch) continue;
      holds(task.dispatch >= known.dispatch, `the dispatch of ${task.id} went back`, job);
      holds(task.attempt >= known.attempt, `the attempt of ${task.id} went back`, job);
      fences.set(task.id, task);
    }
  }

  /** Every attempt counts once, however often and however late it is reported, and whatever else becomes of the report. */
  function checkCost(input: JobInput, after: Job): void {
    if (!('usage' in input)) return;
    const attempt = `${input.taskId} ${String(input.dispatch)} ${String(input.attempt)}`;
    spent.set(attempt, Math.max(spent.get(attempt) ?? 0, input.usage.costUsd));
    const sum = [...spent.values()].reduce((total, cost) => total + cost, 0);
    holds(Math.abs(sum - after.usage.costUsd) < 1e-6, `the attempts cost ${String(sum)}`, after);
  }

  /** A caller stores whatever is not the very same object: it had better say something. */
  function checkNews(job: Job): void {
    const before = said;
    said = JSON.stringify({ ...job, updatedAt: 0 });
    holds(said !== before, 'a new record that says nothing new', job);
  }

  function check(before: Job, input: JobInput, after: Job): void {
    checkChange(before, input, after);
    remember(before, input, after);
    checkNews(after);
    checkNumbers(after);
    checkWaits(after);
    checkFences(after);
    if ((records += 1) % PARSED_EVERY === 0) checkRecord(after);
    for (const { effect } of after.pending) {
      if (effect.type !== 'MergeChange') continue;
      holds(isApproved(after, effect.headCommit), 'a merge of a head that nobody approved is pending', after);
    }
  }

  return {
    first(input: JobInput): Job {
      const job = decideJob(null, input);
      checkRecord(job);
      checkNews(job);
      checkWaits(job);
      return job;
    },
    step(before: Job, input: JobInput): Job {
      const after = decideJob(before, input);
      if (after !== before) check(before, input, after);
      if (isReport(input) && !isCurrent(before, input)) checkStale(before, input, after);
      checkCost(input, after);
      return after;
    },
    /** The world is about to move the base to a merge of this head. */
    merging(job: Job, headCommit: string): void {
      merges += 1;
      holds(merges === 1, 'a second merge', job);
      holds(isApproved(job, headCommit), 'a head is merged that nobody approved', job);
    },
  };
}

function checkChange(before: Job, input: JobInput, after: Job): void {
  holds(after.updatedAt >= before.updatedAt, 'updatedAt went back', after);
  holds(after.effectCount >= before.effectCount, 'effect ids went back', after);
  if (isTerminal(before.status)) {
    const retried = input.type === 'RetryRequested' && newlyAccepted(before, after, input.commandId) && before.status !== 'COMPLETED';
    holds(after.status === before.status || retried, `${before.status} was left by ${input.type}`, after);
  }
  if (after.status === 'COMPLETED' && before.status !== 'COMPLETED') {
    holds(input.type === 'EffectFinished' && input.outcome.type === 'Merged', `COMPLETED by ${input.type}`, after);
    holds(
      after.changeRequest?.merged === true && after.changeRequest.mergeCommit !== undefined,
      'COMPLETED without a merged change request',
      after,
    );
  }
}

/** A report of an attempt that has been replaced says no more than what that one cost; that one has begun may lead to its being ended. */
function checkStale(before: Job, input: JobInput, after: Job): void {
  if (input.type !== 'TaskStarted') {
    const { usage, attempts, updatedAt } = after;
    holds(
      isDeepStrictEqual(withoutAttempts(after), withoutAttempts({ ...before, usage, updatedAt })),
      `a stale ${input.type} changed the job`,
      after,
    );
    holds(attempts !== undefined || after === before, 'a record that says nothing new', after);
    return;
  }
  const { pending, effectCount, updatedAt } = after;
  const same = JSON.stringify({ ...before, pending, effectCount, updatedAt }) === JSON.stringify(after);
  const added = pending.slice(before.pending.length);
  holds(same && added.every(({ effect }) => effect.type === 'RevokeTask'), 'a stale TaskStarted changed the job', after);
}

function withoutAttempts({ attempts: _, ...rest }: Job): Omit<Job, 'attempts'> {
  return rest;
}

function checkRecord(job: Job): void {
  const parsed = Job.safeParse(JSON.parse(JSON.stringify(job)));
  if (!parsed.success) broken(`the record is not valid: ${parsed.error.message}`, job);
}

function checkNumbers(job: Job): void {
  const ids = job.pending.map(({ id }) => id);
  holds(new Set(ids).size === ids.length && Math.max(0, ...ids) <= job.effectCount, 'effect ids are not unique', job);
  holds(reviewRounds(job) <= job.roundsAllowed, 'more rounds than allowed', job);
  holds(job.conflictRounds <= job.conflictRoundsAllowed, 'more conflict rounds than allowed', job);
  holds(job.task === undefined || job.task.dispatch <= job.dispatchesAllowed, 'more dispatches than allowed', job);
  holds((job.error !== undefined) === (job.status === 'FAILED'), 'an error without a failure, or the other way round', job);
}

/** What decides how a job goes on. Everything else is done beside it; that a task is sent belongs to the task. */
const DECIDING: readonly Effect['type'][] = ['PrepareRepository', 'AcceptWork', 'ProposeChange', 'MergeChange'];

/** A job that has not ended waits for exactly one thing: a task, an effect that decides, or a person (see `checkWaiting` for the one exception). */
function checkWaits(job: Job): void {
  const effects = job.pending.map(({ effect }) => effect.type).filter((type) => DECIDING.includes(type));
  const sends = job.pending.flatMap(({ effect }) => (effect.type === 'SendTask' ? [effect] : []));
  const current = sends.every((send) => send.taskId === job.task?.id && send.dispatch === job.task.dispatch);
  holds(sends.length <= 1 && current, 'a task is to be sent that the job does not wait for', job);
  const wanted = (effect: Effect) => effect.type === 'RevokeTask' && effect.taskId === job.task?.id && effect.dispatch >= job.task.dispatch;
  holds(!job.pending.some(({ effect }) => wanted(effect)), 'the task the job waits for is to be revoked', job);
  const closing = job.pending.some(({ effect }) => effect.type === 'CloseJob');
  holds(isTerminal(job.status) || !closing, 'an open job is to be closed', job);
  if (isTerminal(job.status)) checkEnded(job, effects);
  else if (job.status === 'WAITING_APPROVAL') checkWaiting(job, effects);
  else checkWorking(job, effects);
}

function checkEnded(job: Job, effects: readonly string[]): void {
  holds(job.phase === 'done' && job.finishedAt !== undefined, 'ended, but not done', job);
  holds((job.stoppedPhase === undefined) === (job.status === 'COMPLETED'), 'a retry could not tell where to go on', job);
  holds(!job.task && !job.needs && !job.failing && !job.stopRequested, 'ended, and waits for something', job);
  holds(effects.length === 0, `ended, and ${effects.join()} is still to be done`, job);
}

function checkWaiting(job: Job, effects: readonly string[]): void {
  holds(!job.task && job.needs !== undefined, 'waits for a person, but not for anything', job);
  holds(job.phase === (job.needs?.kind === 'approval' ? 'approving' : 'merging'), 'waits in the wrong phase', job);
  // A dirty tree is looked at again by the sweep: the need stands until the merge says that it is over.
  const again = job.needs?.kind === 'dirty_tree' && effects.join() === 'MergeChange';
  holds(effects.length === 0 || again, `waits for a person and for ${effects.join()}`, job);
}

function checkWorking(job: Job, effects: readonly string[]): void {
  const waits = [...(job.task ? ['a task'] : []), ...(job.needs ? ['a person'] : []), ...effects];
  holds(waits.length === 1 && !job.needs, `waits for ${waits.length === 0 ? 'nothing' : waits.join(' and ')}`, job);
  if (job.status === 'PENDING') {
    holds(job.phase === 'queued', 'PENDING, but not queued', job);
    return;
  }
  const phase = job.task?.role === 'reviewer' ? 'reviewing' : effects[0] === 'MergeChange' ? 'merging' : 'implementing';
  holds(job.phase === phase, `works in the phase ${job.phase} instead of ${phase}`, job);
  holds(job.stopRequested !== true || phase === 'merging', 'a stop waits for something else than a merge', job);
}

function newlyAccepted(before: Job, after: Job, id: string): boolean {
  return !before.commands.some((known) => known.id === id) && after.commands.some((known) => known.id === id && known.accepted);
}

function isReport(input: JobInput): input is JobInput & AttemptRef {
  return 'taskId' in input;
}
