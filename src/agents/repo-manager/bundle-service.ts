import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { messageOf, RetryableError, TerminalError } from '../../shared/errors/errors.ts';
import { partsOfTaskId } from '../../shared/domain/ids.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { type BundleAnswer, BundleNeed } from '../../shared/messages/task.ts';
import { bundleKeyOf } from '../../shared/messaging/bundle-store.ts';
import { openRepository, type RepoManagerContext } from './context.ts';
import { makeTaskBundle, tipsOf } from './task-bundle.ts';

/** Answers agents whose cache lacks what the bundle of their task builds on. Any repo-manager of the queue group may. */
export function serveBundles(nc: NatsConnection, context: RepoManagerContext): Subscription {
  return nc.subscribe(subjects.bundleNeed, {
    queue: 'repo-manager',
    callback: (_error, message) => {
      void answer(context, message);
    },
  });
}

async function answer(context: RepoManagerContext, message: Msg): Promise<void> {
  message.respond(JSON.stringify(await answerBundleNeed(context, () => message.json())));
}

/** Makes the bundle that is asked for, or says why there is none. @param read gives the question, or throws where it is none */
export async function answerBundleNeed(context: RepoManagerContext, read: () => unknown): Promise<BundleAnswer> {
  try {
    return await makeAnswer(context, BundleNeed.parse(read()));
  } catch (error) {
    context.log.warn({ err: error }, 'a bundle was refused');
    // Only what is known to be final is said to be.
    const code = error instanceof TerminalError ? error.code : 'not_now';
    return versioned({ type: 'BundleRefused' as const, code, message: messageOf(error) });
  }
}

async function makeAnswer(context: RepoManagerContext, need: BundleNeed): Promise<BundleAnswer> {
  const entry = await context.store.load(need.jobId);
  const task = entry?.value.task;
  if (entry?.value.host !== undefined && entry.value.host !== context.host)
    throw new RetryableError('other_host', 'The repository is elsewhere.');
  if (!entry || task?.id !== need.taskId || task.dispatch !== need.dispatch) {
    throw new TerminalError('task_not_current', `${need.taskId} is not the task that the job waits for.`);
  }
  const { repository, commits } = await openRepository(context, entry.value);
  const unknown = await commits.missing(need.have);
  const bundle = await makeTaskBundle(context, {
    commits,
    repositoryKey: repository.key,
    taskId: need.taskId,
    suffix: `${String(need.dispatch)}.n${String(need.attempt)}`,
    tips: tipsOf(entry.value, partsOfTaskId(need.taskId).role),
    known: need.have.filter((commit) => !unknown.includes(commit)),
    key: bundleKeyOf(context.secret, need.taskId, need.dispatch),
  });
  if (!bundle) throw new TerminalError('bundle_not_needed', 'The cache has everything already.');
  return versioned({ type: 'BundleMade' as const, bundle });
}
