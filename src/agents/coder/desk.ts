import { RetryableError } from '../../shared/errors/errors.ts';
import type { Git } from '../../shared/git/git.ts';
import { receiveBundle } from '../../shared/git/bundle.ts';
import { treeOf } from '../../shared/git/inspect.ts';
import { type Conflict, mergeTrees } from '../../shared/git/merge.ts';
import type { Workspace } from '../../shared/git/workspace.ts';
import type { ImplementationRequest } from '../../shared/messages/task.ts';
import { MAX_BUNDLE_BYTES } from '../../shared/messaging/bundle-store.ts';
import { runSetup } from '../../shared/process/commands.ts';
import type { TaskRun } from '../base/task-worker.ts';
import { takeTaskWorkspace } from '../base/task-workspace.ts';
import type { WorkerContext } from '../base/worker-context.ts';
import { confined } from './check-change.ts';

/** Where a coder works: the tree as the round begins, and what is in conflict in it. */
export interface Desk {
  readonly workspace: Workspace;
  readonly conflicts: readonly Conflict[];
}

/**
 * Makes the workspace of a task: the start commit; in a conflict round with the newest base merged in, markers in the files;
 * or, when an earlier attempt handed the task back, as that one left it. Then the repository's own setup.
 */
export async function openDesk(context: WorkerContext, run: TaskRun<ImplementationRequest>, cache: Git): Promise<Desk> {
  const { message } = run;
  const merged = message.mergeWith === undefined ? undefined : await mergeTrees(cache, message.startCommit, message.mergeWith);
  const conflicts = merged?.type === 'conflicted' ? merged.conflicts : [];
  const left = await leftTree(context, run, cache);
  const workspace = await takeTaskWorkspace(context, run, cache, message.startCommit, { tree: merged?.tree, left });
  try {
    await setUp(context, run, workspace);
    return { workspace, conflicts };
  } catch (error) {
    await workspace.release('abandoned');
    throw error;
  }
}

/** What an attempt that was handed back had done so far; it is worth having, but not worth failing for. */
async function leftTree(
  context: WorkerContext,
  { message, claim, log }: TaskRun<ImplementationRequest>,
  cache: Git,
): Promise<string | undefined> {
  if (!claim.wip) return undefined;
  try {
    const bytes = await context.bundles.get(claim.wip, Buffer.from(message.bundleKey, 'base64'));
    await receiveBundle(cache, bytes, { maxBytes: MAX_BUNDLE_BYTES, expectedTip: claim.wip.tip });
    log({ type: 'note', text: 'Going on from what an earlier attempt left.' });
    return await treeOf(cache, claim.wip.tip);
  } catch (error) {
    log({ type: 'note', text: `What an earlier attempt left can't be used: ${String(error)}` });
    return undefined;
  }
}

async function setUp(context: WorkerContext, run: TaskRun<ImplementationRequest>, workspace: Workspace): Promise<void> {
  const { setup } = run.message.settings;
  if (setup.length === 0) return;
  const results = await confined(context, run, workspace, 'setup', (options) => runSetup(setup, options));
  const failed = results.find(({ passed }) => !passed);
  const { sandbox, hosts = [] } = context.confinement;
  const hint = sandbox.isolates && hosts.length === 0 ? NO_NETWORK : '';
  if (failed)
    throw new RetryableError('setup_failed', `The repository's setup failed: ${failed.command}\n${failed.output.slice(-2_000)}${hint}`);
}

const NO_NETWORK = '\nThe sandbox has no network; MULTI_AGENT_ALLOWED_HOSTS names hosts that may be reached, a package registry for one.';
