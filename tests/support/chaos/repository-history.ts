import { readdirSync } from 'node:fs';
import { git } from '../in-process-system.ts';

/** What a repository has to say for itself. */
export interface History {
  /** The commits of the base branch by first parent, without the one it began with. */
  readonly firstParents: readonly { readonly commit: string; readonly tree: string }[];
  /** By job, the first-parent commits that brought its work. */
  readonly merges: ReadonlyMap<string, readonly string[]>;
  /** By job, the rounds of which there is work on the base branch, once for each commit. */
  readonly rounds: ReadonlyMap<string, readonly string[]>;
  readonly files: ReadonlySet<string>;
  /** The lines of the file that everybody changes. */
  readonly shared: readonly string[];
  /** The jobs that have a branch. */
  readonly branches: ReadonlySet<string>;
  /** Changes in its working tree, and locks that somebody left. */
  readonly dirty: readonly string[];
}

const JOB = '%(trailers:key=Multi-Agent-Job,valueonly,separator=%x2C)';
const ROUND = '%(trailers:key=Multi-Agent-Round,valueonly,separator=%x2C)';
const BRANCH = 'multi-agent/';

export function readHistory(path: string): History {
  const firstParents = lines(git(path, 'log', '--first-parent', '--min-parents=1', `--format=%H %T ${JOB}`, 'main')).map(words);
  const work = lines(git(path, 'log', `--format=%H ${JOB} ${ROUND}`, 'main')).map(words);
  const branches = lines(git(path, 'for-each-ref', '--format=%(refname:short)', `refs/heads/${BRANCH}`));
  return {
    firstParents: firstParents.map(([commit = '', tree = '']) => ({ commit, tree })),
    merges: grouped(firstParents.map(([commit = '', , job = '']) => [job, commit])),
    rounds: grouped(work.flatMap(([, job = '', round]) => (round === undefined ? [] : [[job, round] as const]))),
    files: new Set(lines(git(path, 'ls-tree', '-r', '--name-only', 'main'))),
    shared: lines(git(path, 'show', 'main:shared.txt')),
    branches: new Set(branches.map((name) => name.slice(BRANCH.length))),
    dirty: [...changesIn(path), ...locksIn(path)],
  };
}

function changesIn(path: string): string[] {
  const isBare = git(path, 'rev-parse', '--is-bare-repository') === 'true';
  return isBare ? [] : lines(git(path, 'status', '--porcelain'));
}

function locksIn(path: string): string[] {
  const gitDir = git(path, 'rev-parse', '--absolute-git-dir');
  return readdirSync(gitDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lock'));
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '');
}

function grouped(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}
