import { createHash } from 'node:crypto';
import type { Commits } from '../../../src/agents/repo-manager/commits.ts';
import { TerminalError } from '../../../src/shared/errors/errors.ts';
import { MissingPrerequisitesError } from '../../../src/shared/git/bundle.ts';
import { bundleRefused, type BundleHeader } from '../../../src/shared/git/bundle-format.ts';
import type { Incarnation } from './process.ts';

/** Files by path. */
export type Tree = Readonly<Record<string, string>>;

export interface MadeCommit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly tree: Tree;
  /** Itself and all it descends from. */
  readonly history: ReadonlySet<string>;
}

/** Every commit that anybody ever made: the same content is the same commit, as with git. */
export interface AllCommits {
  make(content: { readonly parents: readonly string[]; readonly tree: Tree; readonly message: string }): MadeCommit;
  /** @throws Error where nobody made it */
  of(id: string): MadeCommit;
  merge(ours: string, theirs: string): { readonly tree: Tree; readonly conflicts: readonly string[] };
  /** A tree by what `Commits` calls it. */
  treeOf(id: string): Tree;
  nameTree(tree: Tree): string;
}

export function createAllCommits(): AllCommits {
  const commits = new Map<string, MadeCommit>();
  const trees = new Map<string, Tree>();
  const all: AllCommits = {
    make: ({ parents, tree, message }) => {
      const id = hash('commit', ...parents, all.nameTree(tree), message);
      const known = commits.get(id);
      if (known) return known;
      const history = new Set([id, ...parents.flatMap((parent) => [...all.of(parent).history])]);
      const commit = { id, parents, tree, history };
      commits.set(id, commit);
      return commit;
    },
    of: (id) => {
      const commit = commits.get(id);
      if (!commit) throw new Error(`nobody made the commit ${id}`);
      return commit;
    },
    merge: (ours, theirs) => mergeTrees(mergeBase(all, ours, theirs), all.of(ours).tree, all.of(theirs).tree),
    treeOf: (id) => trees.get(id) ?? {},
    nameTree: (tree) => {
      const id = hash(
        'tree',
        ...Object.entries(tree)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flat(),
      );
      trees.set(id, tree);
      return id;
    },
  };
  return all;
}

function mergeBase(all: AllCommits, ours: string, theirs: string): Tree {
  const theirHistory = all.of(theirs).history;
  const common = [...all.of(ours).history].filter((id) => theirHistory.has(id)).map((id) => all.of(id));
  return (
    common.reduce<MadeCommit | undefined>((best, one) => (best && best.history.size >= one.history.size ? best : one), undefined)?.tree ??
    {}
  );
}

function mergeTrees(base: Tree, ours: Tree, theirs: Tree): { tree: Tree; conflicts: string[] } {
  const tree: Record<string, string> = {};
  const conflicts: string[] = [];
  for (const path of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const [was, our, their] = [base[path], ours[path], theirs[path]];
    const isConflict = our !== was && their !== was && our !== their;
    if (isConflict) conflicts.push(path);
    const text = isConflict ? `<<< ${our ?? ''} ||| ${their ?? ''} >>>` : our === was ? their : our;
    if (text !== undefined) tree[path] = text;
  }
  return { tree, conflicts };
}

function hash(...parts: readonly string[]): string {
  return createHash('sha1').update(parts.join('\0')).digest('hex');
}

/** The repo-managers' mirror on the disk of their host. */
export interface Mirror {
  readonly present: Set<string>;
  /** `<jobId>/<name>` → commit */
  readonly pins: Map<string, string>;
  /** Takes a commit in with all it descends from. */
  bring(id: string): void;
  of(self: Incarnation): Commits;
}

export function createMirror(all: AllCommits): Mirror {
  const present = new Set<string>();
  const pins = new Map<string, string>();
  const bring = (id: string): void => {
    for (const one of all.of(id).history) present.add(one);
  };
  return {
    present,
    pins,
    bring,
    of: (self) => commitsOf(self, all, { present, pins, bring }),
  };
}

function commitsOf(self: Incarnation, all: AllCommits, { present, pins, bring }: Omit<Mirror, 'of'>): Commits {
  const git = <T>(what: string, effect: () => T): Promise<T> => self.io('git', what, effect);
  const here = (id: string): MadeCommit => {
    if (!present.has(id)) throw new TerminalError('git_failed', `fatal: bad object ${id}`);
    return all.of(id);
  };
  return {
    has: (id) => git('git has', () => present.has(id)),
    missing: (ids) => git('git missing', () => ids.filter((id) => !present.has(id))),
    isAncestor: (ancestor, descendant) => git('git is-ancestor', () => here(descendant).history.has(here(ancestor).id)),
    rootFiles: (id) => git('git list', () => Object.keys(here(id).tree).filter((path) => !path.includes('/'))),
    readFile: (id, path) => git('git read', () => here(id).tree[path] ?? null),
    filesChanged: (base, head) => git('git diff', () => changed(here(base).tree, here(head).tree)),
    refusedEntry: (_from, { to }) =>
      git('git look', () => {
        here(to);
        return null;
      }),
    bundle: ({ tips, prerequisites }) =>
      git('git bundle', () => {
        for (const { id } of tips) here(id);
        for (const id of prerequisites) here(id);
        return writeBundle({ tips, prerequisites });
      }),
    receive: (bytes, { expectedTip, descendsFrom }) =>
      git('git receive', () => {
        const { tips, prerequisites } = readBundle(bytes);
        const missing = prerequisites.filter((id) => !present.has(id));
        if (missing.length > 0) throw new MissingPrerequisitesError(missing);
        if (!tips.some(({ id }) => id === expectedTip)) throw bundleRefused('another tip');
        for (const { id } of tips) bring(id);
        if (descendsFrom !== undefined && !all.of(expectedTip).history.has(descendsFrom)) throw bundleRefused('from elsewhere');
      }),
    mergeTrees: (ours, theirs) =>
      git('git merge-tree', () => {
        const { tree, conflicts } = all.merge(here(ours).id, here(theirs).id);
        if (conflicts.length === 0) return { type: 'clean', tree: all.nameTree(tree) };
        const sides = conflicts.map((path) => ({ path, base: null, ours: null, theirs: null }));
        return { type: 'conflicted', tree: all.nameTree(tree), conflicts: sides, messages: [] };
      }),
    createMerge: ({ tree, parents, message, at }) =>
      git('git commit', () => {
        const { id } = all.make({ parents, tree: all.treeOf(tree), message: `${message}${String(at)}` });
        present.add(id);
        return id;
      }),
    pin: (jobId, name, id) => git('git pin', () => void pins.set(`${jobId}/${String(name)}`, here(id).id)),
    isPinned: (jobId, commit) =>
      git('git pins', () => [...pins].some(([key, id]) => key.startsWith(`${jobId}/`) && (commit === undefined || id === commit))),
    unpin: (jobId) =>
      git('git unpin', () => {
        for (const key of pins.keys()) if (key.startsWith(`${jobId}/`)) pins.delete(key);
      }),
    maintain: () => git('git gc', () => undefined),
  };
}

export function writeBundle(header: BundleHeader): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(header));
}

export function readBundle(bytes: Uint8Array): BundleHeader {
  return JSON.parse(new TextDecoder().decode(bytes)) as BundleHeader;
}

function changed(before: Tree, after: Tree) {
  return Object.keys(after)
    .filter((path) => after[path] !== before[path])
    .map((path) => ({ path, status: before[path] === undefined ? ('added' as const) : ('modified' as const), additions: 1, deletions: 0 }));
}
