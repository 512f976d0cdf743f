import type { CheckResult } from '../../shared/domain/change.ts';

/**
 * Trees whose checks have just passed. A merge that was tested, and then could not land (a dirty tree, a lock), is tried
 * again with every sweep: the very same tree need not be tested each time. Forgotten at a restart.
 */
export interface GreenTrees {
  /** The checks of this tree under the settings of this base, if all of them passed. */
  of(repositoryKey: string, tree: string, base: string): readonly CheckResult[] | undefined;
  add(repositoryKey: string, tree: string, base: string, checks: readonly CheckResult[]): void;
}

const REMEMBERED = 64;

export function createGreenTrees(): GreenTrees {
  const trees = new Map<string, readonly CheckResult[]>();
  const keyOf = (...parts: readonly string[]): string => parts.join(' ');
  return {
    of: (repositoryKey, tree, base) => trees.get(keyOf(repositoryKey, tree, base)),
    add: (repositoryKey, tree, base, checks) => {
      if (checks.some(({ passed }) => !passed)) return;
      trees.set(keyOf(repositoryKey, tree, base), checks);
      const [oldest] = trees.keys();
      if (trees.size > REMEMBERED && oldest !== undefined) trees.delete(oldest);
    },
  };
}
