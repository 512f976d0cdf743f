import type { CommitSummary, FileChange } from '../domain/change.ts';
import type { CommitId, Instant } from '../domain/ids.ts';
import { leftConflictMarkers } from './conflict-markers.ts';
import { changedEntries } from './diff.ts';
import { writeCommit } from './objects.ts';
import { refuseEntries } from './refused-entries.ts';
import { runnerCommits } from './runner-commits.ts';
import { stageTree } from './stage-tree.ts';
import type { Workspace } from './workspace.ts';

export interface ChangeToRecord {
  /** `[start]`, or `[head, base]` in a conflict round. */
  readonly parents: readonly CommitId[];
  readonly message: string;
  readonly at: Instant;
  /** Paths that were in conflict: they must hold no markers any more. */
  readonly conflictPaths?: readonly string[];
}

export interface RecordedChange {
  readonly commit: CommitId;
  readonly tree: string;
  /** Against the first parent. */
  readonly filesChanged: readonly FileChange[];
  /** What the runner committed itself, oldest first; folded into ours. */
  readonly runnerCommits: readonly CommitSummary[];
  /** Of `conflictPaths`, those that still hold conflict markers. */
  readonly conflictMarkers: readonly string[];
}

/**
 * Makes a commit of what a runner left in its workspace, null where that is what it started with.
 *
 * Only the files count: the runner's `.git` and all it put there, its own commits and its index have no effect, and nothing
 * of the tree is run. The same tree, parents, message and date give the same commit. May be called again after another try.
 * Throws `TerminalError` `submodule_refused` or `symlink_refused` for what has no place in a change (what the second
 * parent has just so is the user's own), `workspace_damaged` where the tree is none any more.
 */
export async function recordChange(workspace: Workspace, request: ChangeToRecord): Promise<RecordedChange | null> {
  const tree = await stageTree(workspace);
  if (tree === workspace.start) return null;
  const entries = await changedEntries(workspace.git, request.parents[0] ?? workspace.commit, tree);
  // Of a conflict round the result may well be the first parent's own tree.
  if (entries.length === 0 && workspace.start === workspace.commit) return null;
  await refuseEntries(workspace, entries, { to: tree, mergedWith: request.parents[1] });
  return {
    commit: await writeCommit(workspace.git, { ...request, tree }),
    tree,
    filesChanged: entries.map(({ path, status, additions, deletions }) => ({ path, status, additions, deletions })),
    runnerCommits: await runnerCommits(workspace),
    conflictMarkers: await leftConflictMarkers(workspace.tree, request.conflictPaths ?? []),
  };
}
