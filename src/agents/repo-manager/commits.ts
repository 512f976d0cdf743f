import type { FileChange } from '../../shared/domain/change.ts';
import type { CommitId, JobId } from '../../shared/domain/ids.ts';
import type { TerminalError } from '../../shared/errors/errors.ts';
import { createBundle, receiveBundle, type ReceiveOptions } from '../../shared/git/bundle.ts';
import type { BundleHeader } from '../../shared/git/bundle-format.ts';
import { filesChangedBetween } from '../../shared/git/diff.ts';
import { createGit } from '../../shared/git/git.ts';
import { commitExists, isAncestor, missingObjects, readFileAt, rootFilesOf } from '../../shared/git/inspect.ts';
import { createMergeCommit, type MergeCommit, type MergedTrees, mergeTrees } from '../../shared/git/merge.ts';
import { maintainMirror } from '../../shared/git/mirror.ts';
import { type EntriesToJudge, refusedEntry } from '../../shared/git/refused-entries.ts';
import { listPins, pin, unpin } from '../../shared/git/refs.ts';

/** The commits in the mirror of one repository. Whatever is done here may be done again: the same content is the same commit. */
export interface Commits {
  has(commit: CommitId): Promise<boolean>;
  /** Which of these are not there. */
  missing(commits: readonly CommitId[]): Promise<CommitId[]>;
  isAncestor(ancestor: CommitId, descendant: CommitId): Promise<boolean>;
  /** The names of the files at the root of a commit; of a link or a directory, none. */
  rootFiles(commit: CommitId): Promise<string[]>;
  /** The text of a file in a commit, null where there is none. */
  readFile(commit: CommitId, path: string): Promise<string | null>;
  /** The files that `head` changed since it left `base`. */
  filesChanged(base: CommitId, head: CommitId): Promise<FileChange[]>;
  /** What of a change can't be accepted, whoever made it. */
  refusedEntry(from: CommitId, judged: EntriesToJudge): Promise<TerminalError | null>;
  bundle(header: BundleHeader): Promise<Uint8Array>;
  /** @throws TerminalError `bundle_refused`, `bundle_prerequisites_missing` */
  receive(bundle: Uint8Array, options: ReceiveOptions): Promise<void>;
  mergeTrees(ours: CommitId, theirs: CommitId): Promise<MergedTrees>;
  createMerge(merge: MergeCommit): Promise<CommitId>;
  /** Keeps a commit of a job, whatever becomes of its branch. */
  pin(jobId: JobId, name: string | number, commit: CommitId): Promise<void>;
  /** Whether anything is kept for a job, or this very commit where one is given. */
  isPinned(jobId: JobId, commit?: CommitId): Promise<boolean>;
  /** Lets go of all that is kept for a job. */
  unpin(jobId: JobId): Promise<void>;
  /** Tidies up where it is due. */
  maintain(): Promise<void>;
}

/** @param mirror absolute path of the bare mirror */
export function openCommits(mirror: string): Commits {
  const git = createGit({ gitDir: mirror });
  return {
    has: (commit) => commitExists(git, commit),
    missing: (commits) => missingObjects(git, commits),
    isAncestor: (ancestor, descendant) => isAncestor(git, ancestor, descendant),
    rootFiles: (commit) => rootFilesOf(git, commit),
    readFile: (commit, path) => readFileAt(git, commit, path),
    filesChanged: (base, head) => filesChangedBetween(git, base, head),
    refusedEntry: (from, judged) => refusedEntry(git, from, judged),
    bundle: (header) => createBundle(git, header),
    receive: async (bundle, options) => {
      await receiveBundle(git, bundle, options);
    },
    mergeTrees: (ours, theirs) => mergeTrees(git, ours, theirs),
    createMerge: (merge) => createMergeCommit(git, merge),
    pin: (jobId, name, commit) => pin(git, jobId, name, commit),
    isPinned: async (jobId, commit) => (await listPins(git, jobId)).some(({ id }) => commit === undefined || id === commit),
    unpin: (jobId) => unpin(git, jobId),
    maintain: async () => {
      await maintainMirror(git);
    },
  };
}
