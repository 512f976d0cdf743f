import type { Failure } from '../../../../src/shared/domain/change.ts';
import { decide } from '../../../../src/shared/domain/decide.ts';
import type { Effect, EffectOutcome } from '../../../../src/shared/domain/effect.ts';
import type { JobInput, JobRequest } from '../../../../src/shared/domain/input.ts';
import type { Job } from '../../../../src/shared/domain/job.ts';
import type { Decision } from '../../../../src/shared/domain/review.ts';

/** Jobs for tests by example: a story is a row of steps, each of which happens a second after the one before. */
export type Step = (job: Job) => Job;
type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;
type Changes = Partial<Omit<JobRequest, 'workflow'>> & { readonly workflow?: Partial<JobRequest['workflow']> };

/** Those of a repository that has none. */
export const SETTINGS = { setup: [], checks: [], timeoutMs: 600_000, env: [] };

export const JOB_ID = 'job-01J9ZQ4W3N8R5T2V7X6YACBDEF';
export const BASE = commit(1);
const STEP_MS = 1_000;

/** The `n`-th commit of a made-up repository. */
export function commit(n: number): string {
  return n.toString(16).padStart(40, '0');
}

export function request(changes: Changes = {}): JobRequest {
  const { workflow, ...rest } = changes;
  return {
    jobId: JOB_ID,
    priority: 'normal',
    repository: { kind: 'local', url: '/srv/app' },
    feature: { title: 'Add --json', description: 'As a script I want JSON.', requirements: [], acceptanceCriteria: [] },
    submittedAt: 1_000_000,
    ...rest,
    workflow: { merge: 'auto', maxRounds: 3, timeoutMs: 3_600_000, ...workflow },
  };
}

export function submitted(changes: Changes = {}): Job {
  return decide(null, { type: 'FeatureRequested', request: request(changes), at: 1_000_000 });
}

export function after(job: Job, ...steps: readonly Step[]): Job {
  return steps.reduce((current, step) => step(current), job);
}

/** The moment of the next step. */
export function next(job: Job): number {
  return job.updatedAt + STEP_MS;
}

export function pendingTypes(job: Job): readonly Effect['type'][] {
  return job.pending.map(({ effect }) => effect.type);
}

/** The newest pending effect of a type. @throws Error where there is none */
export function pendingEffect<T extends Effect['type']>(job: Job, type: T): EffectOf<T> {
  return pendingOf(job, type).effect;
}

export function publishedEvents(job: Job): readonly string[] {
  return job.pending.flatMap(({ effect }) => (effect.type === 'PublishEvent' ? [effect.event.type] : []));
}

/** The newest pending effect of that type ends with `outcome`. */
export const ends =
  (type: Effect['type'], outcome: EffectOutcome): Step =>
  (job) =>
    decide(job, { type: 'EffectFinished', effectId: pendingOf(job, type).id, outcome, at: next(job) });

/** Everything that decides nothing is carried out, and what was sent is in its queue. */
export const settled: Step = (job) => {
  const done = job.pending.reduce((current, { id, effect }) => {
    const outcome = quietOutcome(effect, current);
    return outcome ? decide(current, { type: 'EffectFinished', effectId: id, outcome, at: next(current) }) : current;
  }, job);
  // That the change is proposed sends the review out.
  return done === job ? job : settled(done);
};

export const prepared: Step = (job) =>
  settled(
    ends('PrepareRepository', {
      type: 'RepositoryPrepared',
      host: 'box',
      base: 'main',
      baseCommit: BASE,
      settings: SETTINGS,
    })(job),
  );

export const started =
  (attempt?: number): Step =>
  (job) =>
    decide(job, startOf(job, attempt));

export function startOf(job: Job, attempt = (job.task?.attempt ?? 0) + 1): JobInput {
  return {
    type: 'TaskStarted',
    ...attemptOf(job, attempt),
    agentId: job.task?.role === 'reviewer' ? 'reviewer-1' : 'coder-1',
    at: next(job),
  };
}

/** The coder is done with `head`; nothing is accepted yet. */
export const delivered =
  (head: string, usage: Partial<Job['usage']> = {}): Step =>
  (job) =>
    decide(job, implementationOf(job, head, usage));

export function implementationOf(job: Job, head: string, usage: Partial<Job['usage']> = {}): JobInput {
  return {
    type: 'ImplementationFinished',
    ...attemptOf(job),
    ...workOf(job, head),
    summary: 'Added it.',
    commits: [{ id: head, message: 'Add it' }],
    filesChanged: [{ path: 'a.ts', status: 'added', additions: 3, deletions: 0 }],
    checks: [],
    usage: { inputTokens: 10, outputTokens: 5, costUsd: 0.5, ...usage },
    at: next(job),
  };
}

export const accepted: Step = (job) =>
  ends('AcceptWork', {
    type: 'WorkAccepted',
    headCommit: pendingEffect(job, 'AcceptWork').headCommit,
    commits: [],
    filesChanged: [{ path: 'a.ts', status: 'added', additions: 3, deletions: 0 }],
  })(job);

/** The coder delivers, its work is accepted and proposed, the review task is in its queue. */
export const implemented =
  (head: string, usage: Partial<Job['usage']> = {}): Step =>
  (job) =>
    after(job, delivered(head, usage), accepted, settled);

export const reviewed =
  (decision: Decision, summary = 'Looked at it.'): Step =>
  (job) =>
    settled(decide(job, reviewOf(job, decision, summary)));

export function reviewOf(job: Job, decision: Decision, summary = 'Looked at it.'): JobInput {
  return {
    type: 'ReviewFinished',
    ...attemptOf(job),
    review: { round: job.round, decision, headCommit: job.headCommit ?? BASE, summary, comments: [] },
    usage: { inputTokens: 1, outputTokens: 1, costUsd: 0.25 },
    at: next(job),
  };
}

export const merges =
  (outcome: EffectOutcome): Step =>
  (job) =>
    ends('MergeChange', outcome)(job);
export const mergedAs = (mergeCommit: string): Step => merges({ type: 'Merged', mergeCommit, baseCommit: BASE, checks: [] });
export const conflictsWith = (baseCommit: string): Step =>
  merges({ type: 'MergeConflicted', baseCommit, settings: SETTINGS, paths: ['a.ts'] });
export const findsTreeDirty: Step = merges({ type: 'TreeDirty', location: '/srv/app', paths: ['b.ts'] });

export const fails =
  (error: Partial<Failure> = {}, withWork?: string): Step =>
  (job) =>
    decide(job, failureOf(job, error, withWork));

export function failureOf(job: Job, error: Partial<Failure> = {}, withWork?: string): JobInput {
  return {
    type: 'TaskFailed',
    ...attemptOf(job),
    error: { code: 'runner_failed', message: 'The runner exited with 1.', retryable: true, ...error },
    usage: { inputTokens: 1, outputTokens: 1, costUsd: 0.1 },
    ...(withWork === undefined ? {} : { work: workOf(job, withWork) }),
    at: next(job),
  };
}

export const stops =
  (commandId = 'stop-1'): Step =>
  (job) =>
    decide(job, { type: 'StopRequested', commandId, at: next(job) });
export const retries =
  (commandId = 'retry-1'): Step =>
  (job) =>
    decide(job, { type: 'RetryRequested', commandId, at: next(job) });
export const approves =
  (headCommit?: string, commandId = 'approve-1'): Step =>
  (job) =>
    decide(job, { type: 'ApproveRequested', commandId, headCommit, at: next(job) });
export const rejects =
  (comment: string, commandId = 'reject-1'): Step =>
  (job) =>
    decide(job, { type: 'RejectRequested', commandId, comment, at: next(job) });
export const swept =
  (taskMessage: 'present' | 'absent' | 'unknown', laterMs = STEP_MS): Step =>
  (job) =>
    decide(job, { type: 'Swept', taskMessage, at: job.updatedAt + laterMs });

/** Phases a job can be in, each reached the shortest way. */
export const inQueue = (changes?: Changes): Job => after(submitted(changes), prepared);
export const implementing = (changes?: Changes): Job => after(inQueue(changes), started());
export const reviewing = (changes?: Changes): Job => after(implementing(changes), implemented(commit(2)), started());
export const merging = (changes?: Changes): Job => after(reviewing(changes), reviewed('APPROVE'));
export const approving = (): Job => after(reviewing({ workflow: { merge: 'manual' } }), reviewed('APPROVE'));

function attemptOf(job: Job, attempt?: number) {
  const task = job.task;
  if (!task) throw new Error('the job waits for no task');
  return { taskId: task.id, dispatch: task.dispatch, attempt: attempt ?? Math.max(1, task.attempt) };
}

function workOf(job: Job, headCommit: string) {
  const { taskId, attempt } = attemptOf(job);
  const bundle = { name: `app-1/${taskId}.${String(attempt)}.out`, sha256: 'a'.repeat(64), sizeBytes: 10, tip: headCommit };
  return { bundle, startCommit: job.headCommit ?? BASE, headCommit };
}

function pendingOf<T extends Effect['type']>(job: Job, type: T): { readonly id: number; readonly effect: EffectOf<T> } {
  const found = job.pending.findLast((pending): pending is { id: number; effect: EffectOf<T> } => pending.effect.type === type);
  if (!found) throw new Error(`no ${type} is pending, but ${pendingTypes(job).join(', ')}`);
  return found;
}

function quietOutcome(effect: Effect, job: Job): EffectOutcome | undefined {
  switch (effect.type) {
    case 'SendTask':
      return { type: 'TaskSent', streamSeq: 100 + effect.dispatch };
    case 'ProposeChange':
      return job.failing ? undefined : { type: 'ChangeProposed', changeRequest: changeRequestOf(job, effect.headCommit) };
    case 'PostReview':
    case 'PublishEvent':
    case 'RevokeTask':
    case 'CloseJob':
      return { type: 'Done' };
    case 'PrepareRepository':
    case 'AcceptWork':
    case 'MergeChange':
      return undefined;
  }
}

export function changeRequestOf(job: Job, headCommit: string): NonNullable<Job['changeRequest']> {
  return { number: 1, head: `multi-agent/${job.id}`, headCommit, base: job.base ?? 'main', state: 'open', merged: false };
}
