import type { CommitId, Instant } from '../domain/ids.ts';
import type { Git } from './git.ts';
import { readBlobs } from './blobs.ts';
import { writeCommit } from './objects.ts';

/** A file that both sides changed; each side's text, null where that side has no such file. */
export interface Conflict {
  readonly path: string;
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
}

export type MergedTrees =
  | { readonly type: 'clean'; readonly tree: string }
  /** `tree` holds the files with diff3 markers; `messages` is what git says of each conflict. */
  | { readonly type: 'conflicted'; readonly tree: string; readonly conflicts: readonly Conflict[]; readonly messages: readonly string[] };

const CONFLICTED = 1;
/** A side's text is for a prompt: a longer one is cut. */
const MAX_SIDE_BYTES = 200_000;

/**
 * Merges two commits without a worktree. Works on objects only: no ref moves, nothing is checked out.
 *
 * For landing, `ours` is the base and `theirs` our branch; for a conflict round it is the other way round.
 */
export async function mergeTrees(git: Git, ours: CommitId, theirs: CommitId): Promise<MergedTrees> {
  const args = [
    '-c',
    'merge.conflictStyle=diff3',
    'merge-tree',
    '--write-tree',
    '-z',
    '--allow-unrelated-histories',
    '--end-of-options',
    ours,
    theirs,
  ];
  const { stdout, exitCode } = await git.run(args, { answers: [0, CONFLICTED] });
  const fields = stdout.split('\0');
  const tree = fields[0] ?? '';
  if (exitCode === 0) return { type: 'clean', tree };

  const end = fields.indexOf('', 1);
  const stages = fields.slice(1, end).flatMap(stageOf);
  return { type: 'conflicted', tree, conflicts: await readConflicts(git, stages), messages: conflictMessages(fields.slice(end + 1)) };
}

export interface MergeCommit {
  readonly tree: string;
  /** `[newest base, judged head]`, or `[head, base]` for the commit of a conflict round. */
  readonly parents: readonly [CommitId, CommitId];
  readonly message: string;
  readonly at: Instant;
}

/** Makes a merge commit; the same content gives the same id. */
export async function createMergeCommit(git: Git, merge: MergeCommit): Promise<CommitId> {
  return writeCommit(git, merge);
}

interface Stage {
  readonly id: string;
  readonly side: 'base' | 'ours' | 'theirs';
  readonly path: string;
  readonly isFile: boolean;
}

const SIDES = { '1': 'base', '2': 'ours', '3': 'theirs' } as const;

function stageOf(line: string): Stage[] {
  const [, mode, id, stage, file] = /^(\d+) ([0-9a-f]+) ([123])\t([^]+)$/.exec(line) ?? [];
  if (mode === undefined || id === undefined || file === undefined) return [];
  const side = SIDES[stage as keyof typeof SIDES];
  return [{ id, side, path: file, isFile: mode.startsWith('100') }];
}

async function readConflicts(git: Git, stages: readonly Stage[]): Promise<Conflict[]> {
  const texts = await readBlobs(git, [...new Set(stages.filter((stage) => stage.isFile).map((stage) => stage.id))], MAX_SIDE_BYTES);
  const conflicts = new Map<string, Conflict>();
  for (const { id, side, path, isFile } of stages) {
    const conflict = conflicts.get(path) ?? { path, base: null, ours: null, theirs: null };
    conflicts.set(path, { ...conflict, [side]: isFile ? (texts.get(id) ?? null) : null });
  }
  return [...conflicts.values()];
}

/** With -z a message is: the number of its paths, the paths, its kind, its text. */
function conflictMessages(fields: readonly string[]): string[] {
  const messages: string[] = [];
  let at = 0;
  while (at < fields.length) {
    const paths = Number(fields[at]);
    if (fields[at] === '' || !Number.isInteger(paths)) break;
    const kind = fields[at + paths + 1] ?? '';
    if (kind.startsWith('CONFLICT')) messages.push((fields[at + paths + 2] ?? '').trimEnd());
    at += paths + 3;
  }
  return messages;
}
