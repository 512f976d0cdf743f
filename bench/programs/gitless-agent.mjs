// The product's repo-manager, coder or reviewer, with everything of git and of the forge answering at once.
import { randomUUID } from 'node:crypto';
import { product } from '../harness/folders.mjs';

const [, , role, servers, home, count] = process.argv;
const [BASE, HEAD, MERGE, TREE] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40));
const { connectNats } = await product('shared/messaging/connection');
const nc = await connectNats({ url: servers, name: role, patience: 'forever' });
const quiet = {
  info: () => undefined,
  warn: (fields, message) => complain(message, fields),
  error: (fields, message) => complain(message, fields),
};
process.once('SIGTERM', () => process.exit(0));
await (role === 'repo-manager' ? startManager() : startWorkers());
process.stdout.write('ready\n');

async function startManager() {
  const [{ wireRepoManager }, { startRepoManager }, { ensureHome }] = await Promise.all(
    ['agents/repo-manager/wiring', 'agents/repo-manager/repo-manager', 'shared/config/home'].map(product),
  );
  const wired = await wireRepoManager({
    nc,
    paths: await ensureHome(home),
    agentId: 'repo-manager-1',
    incarnation: randomUUID(),
    log: quiet,
    config: { passedEnvironment: {}, secrets: [] },
  });
  const known = { add: () => undefined, of: () => [BASE, HEAD] };
  const context = { ...wired, forges: { local: forge() }, openCommits: commits, checkCommit: async () => [], bundles: bundles(), known };
  await startRepoManager({ nc, context, version: 'bench' });
}

async function startWorkers() {
  const { startAgent } = await product('agents/base/agent');
  const work = role === 'coder' ? implement : review;
  const agents = Array.from({ length: Number(count) }, (_, n) =>
    startAgent({
      nc,
      agentId: `${role}-${String(n + 1)}`,
      incarnation: randomUUID(),
      worker: { role, runner: 'none', work },
      version: 'bench',
      now: () => Date.now(),
      log: quiet,
    }),
  );
  await Promise.all(agents);
}

async function implement({ message, claim }) {
  const bundle = {
    name: `${message.repositoryKey}/${message.taskId}.${String(claim.attempt)}.out`,
    sha256: '0'.repeat(64),
    sizeBytes: 0,
    tip: HEAD,
  };
  const implementation = {
    bundle,
    startCommit: message.startCommit,
    headCommit: HEAD,
    summary: '',
    commits: [],
    filesChanged: [],
    checks: [],
  };
  return { type: 'implemented', implementation, usage: noUsage() };
}

async function review({ message }) {
  const verdict = { round: message.round, decision: 'APPROVE', headCommit: message.headCommit, summary: 'fine', comments: [] };
  return { type: 'reviewed', review: verdict, usage: noUsage() };
}

function noUsage() {
  return { inputTokens: 0, outputTokens: 0, costUsd: 0 };
}

function forge() {
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

function commits() {
  return {
    has: async () => true,
    missing: async () => [],
    isAncestor: async () => true,
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

function bundles() {
  return { put: async () => undefined, get: async () => new Uint8Array(), remove: async () => undefined, jobs: async () => [] };
}

function complain(message, fields) {
  process.stderr.write(`${role}: ${message} ${JSON.stringify(fields, (_key, value) => (value instanceof Error ? value.stack : value))}\n`);
}
