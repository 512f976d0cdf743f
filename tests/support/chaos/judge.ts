import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTerminal } from '../../../src/shared/domain/job.ts';
import type { SubmittedJob } from './customers.ts';
import { fileOf } from './behaviours.ts';
import { eventCounts } from './event-history.ts';
import type { HarmDone } from './harm.ts';
import type { Finding } from './finding.ts';
import { leftOvers } from './left-overs.ts';
import { readForge, type ForgeRecord } from './forge-records.ts';
import { readHistory, type History } from './repository-history.ts';
import type { World } from './world.ts';

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Jobs whose change is on its base branch, by what git says. */
  readonly merged: number;
  /** Jobs that failed as their runners had it coming. */
  readonly failedAsExpected: number;
  readonly cancelled: number;
}

/** Compares what was handed in with what is there now, from outside: git, the forge's own files, what the server stores, /proc. */
export async function judge(world: World, jobs: readonly SubmittedJob[], say: (line: string) => void, done?: HarmDone): Promise<Verdict> {
  const histories = new Map(world.repositories.map((path) => [path, readHistory(path)]));
  const forge = readForge(world.home);
  const events = await eventCounts(world.nc);
  const green = new Set(readFileSync(join(world.folder, 'green'), 'utf8').split('\n'));
  const findings = [
    ...jobs.flatMap((job) => {
      const history = histories.get(job.plan.repository);
      const facts = { records: forge.get(job.plan.id) ?? [], events: events.get(job.plan.id) ?? new Map<string, number>() };
      return history ? judgeJob(job, history, facts) : [];
    }),
    ...[...histories].flatMap(([path, history]) => judgeRepository(path, history, green)),
    ...(await leftOvers(world, jobs, done?.poison ?? [], say)),
  ];
  const statusOf = (job: SubmittedJob): string | undefined => job.record?.status;
  return {
    findings,
    merged: jobs.filter((job) => (histories.get(job.plan.repository)?.merges.get(job.plan.id) ?? []).length > 0).length,
    failedAsExpected: jobs.filter((job) => statusOf(job) === 'FAILED' && job.plan.behaviour.ends.includes('FAILED')).length,
    cancelled: jobs.filter((job) => statusOf(job) === 'CANCELLED').length,
  };
}

export interface JobFacts {
  readonly records: readonly ForgeRecord[];
  readonly events: ReadonlyMap<string, number>;
}

/** What is wrong with one job. */
export function judgeJob(job: SubmittedJob, history: History, facts: JobFacts): Finding[] {
  const { plan, record } = job;
  const about = (kind: Finding['kind'], what: string): Finding => ({ kind, what: `${plan.id} (${plan.behaviour.name}): ${what}` });
  if (!record) return [about('lost', 'there is no record of it')];
  if (!isTerminal(record.status) || record.pending.length > 0) {
    const waits = record.pending.map(({ effect }) => effect.type).join(', ') || (record.task?.id ?? 'nothing');
    return [about('lost', `not over: ${record.status}, ${record.phase}, waits for ${waits} ${JSON.stringify(record.delay ?? {})}`)];
  }
  const findings: Finding[] = [];
  const error = record.error ? ` of ${record.error.code}: ${record.error.message.slice(0, 300)}` : '';
  if (!plan.behaviour.ends.includes(record.status)) findings.push(about('lost', `${record.status}${error}`));
  else if (record.status === 'FAILED' && record.error?.code !== plan.behaviour.code) findings.push(about('untrue', `failed${error}`));

  const merges = history.merges.get(plan.id) ?? [];
  const isCompleted = record.status === 'COMPLETED';
  if (merges.length > 1) findings.push(about('doubled', `merged ${merges.length} times`));
  if (isCompleted && merges.length === 0) findings.push(about('lost', 'COMPLETED, and not on the base branch'));
  if (!isCompleted && merges.length > 0) findings.push(about('untrue', `${record.status}, and merged all the same`));
  if (isCompleted && !history.files.has(fileOf(plan.behaviour, plan.id)))
    findings.push(about('lost', 'its file is not on the base branch'));
  if (isCompleted && plan.behaviour.name === 'append' && history.shared.filter((line) => line === plan.id).length !== 1)
    findings.push(about('lost', 'its line is not there once'));
  if (isCompleted && history.branches.has(plan.id)) findings.push(about('orphan', 'its branch is still there'));
  return [...findings, ...twice(job, history, facts).map((what) => about('doubled', what))];
}

/** Effects that have to be there once. */
function twice({ record, retries, plan }: SubmittedJob, history: History, { records, events }: JobFacts): string[] {
  const reviews = records.flatMap((found) => found.reviews);
  const rounds = history.rounds.get(plan.id) ?? [];
  const told = (type: string): number => events.get(type) ?? 0;
  const facts: Record<string, boolean> = {
    [`${records.length} change requests`]: records.length > 1,
    [`reviews ${reviews.join(', ')}`]: new Set(reviews).size < reviews.length,
    [`${reviews.length} reviews, its record knows ${record?.reviews.length ?? 0}`]: reviews.length > (record?.reviews.length ?? 0),
    [`work of rounds ${rounds.join(', ')}`]: new Set(rounds).size < rounds.length,
    [`JobAccepted told ${told('JobAccepted')} times`]: told('JobAccepted') > 1,
    [`FeatureResult told ${told('FeatureResult')} times`]: told('FeatureResult') > 1 + retries,
    [`ReviewFinished told ${told('ReviewFinished')} times`]: told('ReviewFinished') > (record?.reviews.length ?? 0),
  };
  return Object.entries(facts).flatMap(([what, isWrong]) => (isWrong ? [what] : []));
}

/** What is wrong with a base branch, and with what is beside it. */
export function judgeRepository(path: string, history: History, green: ReadonlySet<string>): Finding[] {
  const red = history.firstParents.filter(({ tree }) => !green.has(tree));
  return [
    ...red.map(({ commit, tree }): Finding => ({ kind: 'red', what: `${path}: no green check of ${commit} (tree ${tree})` })),
    ...history.dirty.map((what): Finding => ({ kind: 'orphan', what: `${path}: ${what}` })),
  ];
}
