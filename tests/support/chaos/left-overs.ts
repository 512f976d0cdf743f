import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import { messageOf } from '../../../src/shared/errors/errors.ts';
import { DeadLetter } from '../../../src/shared/messages/agent.ts';
import { BUNDLE_STREAM } from '../../../src/shared/messaging/bundle-subjects.ts';
import { BUCKETS, consumerPlans, STREAMS } from '../../../src/shared/messaging/topology.ts';
import type { SubmittedJob } from './customers.ts';
import type { Finding } from './finding.ts';
import type { World } from './world.ts';

/** How long what is left over may take to go when all is over: an input that failed often comes again only after half a minute. */
const SETTLED_WITHIN_MS = 75_000;
const LOOK_EVERY_MS = 1_000;
const TOLD_EVERY_MS = 15_000;

/** What is left, on the server, on the disk and among the processes, when it has had time to go; and poison that is not where it belongs. */
export async function leftOvers(
  world: World,
  jobs: readonly SubmittedJob[],
  poison: readonly { readonly payload: string }[],
  say: (line: string) => void,
): Promise<Finding[]> {
  // What is left of jobs that are not over stays, however long one waits.
  const giveUpAt = performance.now() + (jobs.every(({ isOver }) => isOver) ? SETTLED_WITHIN_MS : 0);
  let tellAt = performance.now() + TOLD_EVERY_MS;
  for (;;) {
    const found = await lookForLeftOvers(world, jobs, poison).catch((error: unknown): Finding[] => [
      { kind: 'orphan', what: `could not look: ${messageOf(error)}` },
    ]);
    if (found.length === 0 || performance.now() > giveUpAt) return found;
    // A run that is broken off here should have said what it waited for.
    if (performance.now() > tellAt) {
      tellAt += TOLD_EVERY_MS;
      say(`still there: ${found.map(({ what }) => what).join('; ')}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function lookForLeftOvers(
  world: World,
  jobs: readonly SubmittedJob[],
  poison: readonly { readonly payload: string }[],
): Promise<Finding[]> {
  const jsm = await jetstreamManager(world.nc, { checkAPI: false });
  const left: Record<string, readonly string[]> = {
    claims: await subjectsOf(jsm, `KV_${BUCKETS.claims}`, `$KV.${BUCKETS.claims}.>`),
    open: await subjectsOf(jsm, `KV_${BUCKETS.open}`, `$KV.${BUCKETS.open}.>`),
    locks: await subjectsOf(jsm, `KV_${BUCKETS.locks}`, `$KV.${BUCKETS.locks}.>`),
    TASKS: await messagesIn(jsm, STREAMS.tasks),
    INPUTS: await messagesIn(jsm, STREAMS.inputs),
    bundles: await subjectsOf(jsm, BUNDLE_STREAM, '>'),
    worktrees: readdirSync(join(world.home, 'worktrees')),
    pins: pinsOf(world.home, jobs),
    locksOnDisk: locksIn(world.home),
    aside: asideIn(world),
    processes: runnersOf(world.home),
  };
  const orphans = Object.entries(left).flatMap(([where, names]) =>
    names.map((name): Finding => ({ kind: 'orphan', what: `left in ${where}: ${name}` })),
  );
  return [...orphans, ...(await misplacedPoison(jsm, poison))];
}

async function subjectsOf(jsm: JetStreamManager, stream: string, filter: string): Promise<string[]> {
  const { state } = await jsm.streams.info(stream, { subjects_filter: filter });
  return Object.keys(state.subjects ?? {});
}

/** What lies in a work queue, and how its consumer stands to it: that says why nobody takes it. */
async function messagesIn(jsm: JetStreamManager, stream: string): Promise<string[]> {
  const { state } = await jsm.streams.info(stream);
  const found: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
    const message = await jsm.direct.getMessage(stream, { seq });
    if (!message) continue;
    const ageSeconds = Math.round((Date.now() - message.time.getTime()) / 1000);
    found.push(
      `${message.subject} #${String(seq)}, ${String(ageSeconds)} s old, ${await standingOf(jsm, stream, message)}: ${message.string().slice(0, 200)}`,
    );
  }
  return found;
}

async function standingOf(jsm: JetStreamManager, stream: string, message: StoredMsg): Promise<string> {
  const plan = consumerPlans.find((one) => one.stream === stream && isMatch(message.subject, one.filter));
  if (plan === undefined) return 'no consumer';
  const { delivered, ack_floor, num_ack_pending, num_pending } = await jsm.consumers.info(stream, plan.name);
  const indexed = await jsm.direct.getMessage(stream, { seq: message.seq, next_by_subj: plan.filter });
  return [
    `${plan.name}: delivered ${String(delivered.stream_seq)}`,
    `floor ${String(ack_floor.stream_seq)}`,
    `unacknowledged ${String(num_ack_pending)}`,
    `waiting ${String(num_pending)}`,
    `by its subject ${indexed?.seq === message.seq ? 'found' : 'not found'}`,
  ].join(', ');
}

function isMatch(subject: string, filter: string): boolean {
  return subject.split('.')[0] === filter.split('.')[0] && (filter.endsWith('>') || filter === subject);
}

/** What ended well needs no pins; what failed keeps its own for a retry. */
function pinsOf(home: string, jobs: readonly SubmittedJob[]): string[] {
  const merged = jobs.filter(({ record }) => record?.status === 'COMPLETED').map(({ plan }) => plan.id);
  const roots = readdirSync(join(home, 'mirrors')).map((name) => join(home, 'mirrors', name, 'refs/multi-agent'));
  return roots.flatMap((root) => merged.filter((id) => existsSync(join(root, id)) && readdirSync(join(root, id)).length > 0));
}

function locksIn(home: string): string[] {
  const folders = ['mirrors', 'repositories'].map((name) => join(home, name)).filter((folder) => existsSync(folder));
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.lock'))
      .map((name) => join(folder, name)),
  );
}

/** What was begun under another name and never put in its place. */
function asideIn({ home, temporary }: World): string[] {
  const begun = ['mirrors', 'repositories', 'worktrees', 'forge'].flatMap((folder) =>
    readdirSync(join(home, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => basename(name).startsWith('.new-'))
      .map((name) => join(folder, name)),
  );
  return [...begun, ...readdirSync(temporary)];
}

/** The processes of runners and checks of this system, wherever they went. */
export function runnersOf(home: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isRunner(name, home));
}

function isRunner(pid: string, home: string): boolean {
  try {
    if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.includes(`MULTI_AGENT_SYSTEM=${home}`) && variables.some((variable) => variable.startsWith('MULTI_AGENT_RUN='));
  } catch {
    return false;
  }
}

async function misplacedPoison(jsm: JetStreamManager, poison: readonly { readonly payload: string }[]): Promise<Finding[]> {
  if (poison.length === 0) return [];
  const letters = await deadPayloads(jsm);
  return poison.flatMap(({ payload }): Finding[] => {
    const times = letters.filter((letter) => letter === payload).length;
    if (times === 1) return [];
    return [{ kind: times === 0 ? 'lost' : 'doubled', what: `poison is among the dead letters ${times} times: ${payload}` }];
  });
}

async function deadPayloads(jsm: JetStreamManager): Promise<string[]> {
  const { state } = await jsm.streams.info(STREAMS.dead);
  const payloads: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
    const message = await jsm.direct.getMessage(STREAMS.dead, { seq });
    if (message) payloads.push(Buffer.from(DeadLetter.parse(message.json()).payload, 'base64').toString());
  }
  return payloads;
}
