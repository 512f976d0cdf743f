import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { versioned } from '../../../shared/messages/envelope.ts';
import type { TaskMessage } from '../../../shared/messages/task.ts';
import { bundleKeyOf } from '../../../shared/messaging/bundle-store.ts';
import { openRepository, type RepoManagerContext, required } from '../context.ts';
import { makeTaskBundle, tipsOf } from '../task-bundle.ts';

export type SendTask = Extract<Effect, { type: 'SendTask' }>;

/**
 * Puts the task's bundle and then its message out. The message id names the dispatch: a repetition is no second message,
 * and one that gets in all the same is a copy that no agent takes up (see `claimTask`).
 */
export async function sendTask(context: RepoManagerContext, job: Job, effect: SendTask): Promise<EffectOutcome> {
  const { repository, commits } = await openRepository(context, job);
  const key = bundleKeyOf(context.secret, effect.taskId, effect.dispatch);
  const bundle = await makeTaskBundle(context, {
    commits,
    repositoryKey: repository.key,
    taskId: effect.taskId,
    suffix: String(effect.dispatch),
    tips: tipsOf(job, effect.role),
    known: context.known.of(repository.key),
    key,
  });
  const head = {
    ...taskHead(job, effect, repository.key),
    bundleKey: key.toString('base64'),
    ...(bundle ? { bundle } : {}),
  };
  const message: TaskMessage = effect.role === 'coder' ? implementationRequest(job, head) : reviewRequest(job, head);
  const streamSeq = await context.bus.sendTask(effect.role, effect.priority, message, `${effect.taskId}.d${String(effect.dispatch)}`);
  // Only makes it quicker: idle agents look by themselves twice a second.
  context.bus.wake(effect.role, effect.priority);
  return { type: 'TaskSent', streamSeq };
}

function taskHead(job: Job, effect: SendTask, repositoryKey: string) {
  return versioned({
    jobId: job.id,
    taskId: effect.taskId,
    round: effect.round,
    dispatch: effect.dispatch,
    attemptsBefore: effect.attemptsBefore,
    priority: effect.priority,
    repositoryKey,
    feature: job.feature,
    workflow: job.workflow,
    baseBranch: required(job.base, 'base'),
    baseCommit: required(job.baseCommit, 'baseCommit'),
    settings: required(job.settings, 'settings'),
    reviews: job.reviews,
    jobCreatedAt: job.createdAt,
  });
}

type TaskHead = Pick<TaskMessage, 'bundle' | 'bundleKey'> & ReturnType<typeof taskHead>;

function implementationRequest(job: Job, head: TaskHead): TaskMessage {
  return {
    ...head,
    type: 'ImplementationRequest',
    startCommit: job.headCommit ?? head.baseCommit,
    ...(job.mergeWith === undefined ? {} : { mergeWith: job.mergeWith }),
    ...(job.checks ? { checks: job.checks } : {}),
  };
}

function reviewRequest(job: Job, head: TaskHead): TaskMessage {
  return {
    ...head,
    type: 'ReviewRequest',
    headCommit: required(job.headCommit, 'headCommit'),
    summary: job.summary ?? '',
    checks: job.checks ?? [],
  };
}
