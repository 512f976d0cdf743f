// What a repo-manager works with, without git: everything answers at once.
const [BASE, HEAD, MERGE, TREE] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40));
export { BASE, HEAD };

export function forge() {
  return {
    kind: 'local',
    open: async (repository) => ({ repository, key: 'r-000000000000', mirror: '/nowhere' }),
    fetchBase: async () => ({ branch: 'main', commit: BASE }),
    fetchHead: async () => null,
    publishBranch: async () => undefined,
    openChangeRequest: async (_repository, { head, headCommit, base }) => ({
      number: 1,
      head,
      headCommit,
      base,
      state: 'open',
      merged: false,
    }),
    findChangeRequest: async () => null,
    postReview: async () => undefined,
    land: async () => ({ type: 'landed', mergeCommit: MERGE }),
    findMerge: async () => null,
    listCommits: async () => [],
    removeMergedBranch: async () => undefined,
    settleBegun: async () => undefined,
  };
}

export function commits() {
  return {
    has: async () => true,
    missing: async () => [],
    isAncestor: async () => true,
    rootFiles: async () => [],
    readFile: async () => null,
    filesChanged: async () => [],
    refusedEntry: async () => null,
    bundle: async () => new Uint8Array(),
    receive: async () => undefined,
    mergeTrees: async () => ({ type: 'clean', tree: TREE }),
    createMerge: async () => MERGE,
    pin: async () => undefined,
    isPinned: async () => true,
    unpin: async () => undefined,
    maintain: async () => undefined,
  };
}

export function bundles() {
  return { put: async () => undefined, get: async () => new Uint8Array(), remove: async () => undefined, jobs: async () => [] };
}
