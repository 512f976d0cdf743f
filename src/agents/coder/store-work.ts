import type { BundleRef } from '../../shared/domain/bundle.ts';
import type { CommitId } from '../../shared/domain/ids.ts';
import { createBundle } from '../../shared/git/bundle.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import { bundleName } from '../../shared/messaging/bundle-store.ts';
import { untilAnswered } from '../../shared/messaging/until-answered.ts';
import type { TaskRun } from '../base/task-worker.ts';
import type { WorkerContext } from '../base/worker-context.ts';
import type { Desk } from './desk.ts';

/** Bundles a commit with what it adds to the commits of the task, and stores it under this attempt's own name. */
export async function storeWork(
  context: WorkerContext,
  run: TaskRun<ImplementationRequest>,
  { workspace }: Desk,
  commit: CommitId,
  kind: 'out' | 'wip',
): Promise<BundleRef> {
  const { message, claim } = run;
  const prerequisites = message.mergeWith === undefined ? [message.startCommit] : [message.startCommit, message.mergeWith];
  const bytes = await createBundle(workspace.git, { tips: [{ id: commit, ref: 'refs/heads/work' }], prerequisites });
  const name = bundleName(message.repositoryKey, message.taskId, claim.attempt, kind);
  // Finished work is not thrown away because the server is away for a moment.
  return untilAnswered(() => context.bundles.put(name, bytes, Buffer.from(message.bundleKey, 'base64'), commit));
}
