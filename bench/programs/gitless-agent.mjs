// The product's repo-manager, coder or reviewer, with everything of git and of the forge answering at once.
import { randomUUID } from 'node:crypto';
import { product } from '../harness/folders.mjs';
import { BASE, bundles, commits, forge, HEAD } from './gitless.mjs';

const [, , role, servers, home, count] = process.argv;
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
    config: { passedEnvironment: {}, secrets: [], allowedHosts: [] },
    sandbox: { isolates: false, description: 'none', enter: async () => ({ wrap: (command) => command, folders: undefined }) },
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

function complain(message, fields) {
  process.stderr.write(`${role}: ${message} ${JSON.stringify(fields, (_key, value) => (value instanceof Error ? value.stack : value))}\n`);
}
