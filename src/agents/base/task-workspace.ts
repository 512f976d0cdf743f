import type { CommitId } from '../../shared/domain/ids.ts';
import type { Git } from '../../shared/git/git.ts';
import { takeWorkspace, type Workspace } from '../../shared/git/workspace.ts';
import type { TaskRun } from './task-worker.ts';
import type { WorkerContext } from './worker-context.ts';

/** The workspace of one attempt: `commit` checked out, or what `files` says (see `WorkspaceRequest`). */
export async function takeTaskWorkspace(
  context: WorkerContext,
  { message, claim }: Pick<TaskRun, 'message' | 'claim'>,
  cache: Git,
  commit: CommitId,
  files: { readonly tree?: string | undefined; readonly left?: string | undefined } = {},
): Promise<Workspace> {
  return takeWorkspace({
    home: context.home,
    repoKey: message.repositoryKey,
    cacheGitDir: cache.location.gitDir,
    taskId: message.taskId,
    attempt: claim.attempt,
    owner: { agentId: context.agentId, incarnation: context.incarnation, pid: process.pid },
    commit,
    ...(files.tree === undefined ? {} : { tree: files.tree }),
    ...(files.left === undefined ? {} : { left: files.left }),
  });
}
