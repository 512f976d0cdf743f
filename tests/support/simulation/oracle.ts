import { isTerminal, type Job } from '../../../src/shared/domain/job.ts';
import type { MergeRequest } from '../../../src/shared/forge/forge.ts';
import type { JobEventMessage } from '../../../src/shared/messages/job-event.ts';
import { checkStoredJob } from '../../unit/shared/domain/invariants.ts';
import { isGreen } from './agents.ts';
import { firstParents, type ForgeWorld } from './forge.ts';
import type { Server } from './server.ts';

/** What must hold was broken; `rule` names it. */
export class BrokenRule extends Error {
  readonly rule: string;

  constructor(rule: string, details: string) {
    super(`${rule}: ${details}`);
    this.rule = rule;
  }
}

/** Watches the world from outside of it: what is stored, what is at the forge, and who said what. */
export interface Oracle {
  /** The first rule that was broken. */
  broken(): BrokenRule | undefined;
  onJob(before: Job | undefined, after: Job | undefined): void;
  /** A job was taken out of the open ones: no sweep looks at it any more. */
  onClosed(job: Job | undefined): void;
  onLanded(merge: MergeRequest): void;
  /** An agent says what an attempt has cost so far. */
  costs(jobId: string, attempt: string, costUsd: number): void;
  /** Somebody says that this head may be merged. */
  approves(jobId: string, headCommit: string, by: 'reviewer' | 'person'): void;
  retries(commandId: string): void;
  /** Everything has come to rest: looks at all there is. */
  lookAround(server: Server, forge: ForgeWorld): void;
}

export function createOracle(): Oracle {
  const merged = new Map<string, string>();
  const approvals = new Set<string>();
  const retried = new Set<string>();
  const costs = new Map<string, Map<string, number>>();
  const endings = new Map<string, number>();
  let broken: BrokenRule | undefined;
  const complain = (rule: string, details: string): void => {
    broken ??= new BrokenRule(rule, details);
  };
  return {
    broken: () => broken,
    onJob: (before, after) => {
      if (!after) return complain('no job is lost', `the record of ${String(before?.id)} is gone`);
      try {
        checkStoredJob(after);
      } catch (error) {
        complain('a job waits for exactly one thing', String(error));
      }
      if (isTerminal(after.status) && (before === undefined || !isTerminal(before.status))) {
        endings.set(after.id, (endings.get(after.id) ?? 0) + 1);
        if (after.status === 'COMPLETED' && !merged.has(after.id)) complain('COMPLETED means merged', after.id);
      }
      if (before) checkStep(before, after);
    },
    onClosed: (job) => {
      if (job && job.pending.length > 0) complain('who has something left to do is open', `${job.id}: ${JSON.stringify(job.pending)}`);
    },
    onLanded: ({ jobId, headCommit, mergeCommit }) => {
      if (merged.has(jobId)) complain('one merge at most', `${jobId} was merged as ${String(merged.get(jobId))} and as ${mergeCommit}`);
      merged.set(jobId, mergeCommit);
      if (!approvals.has(`${jobId} ${headCommit}`)) complain('only what was approved is merged', `${jobId} ${headCommit}`);
    },
    approves: (jobId, headCommit) => void approvals.add(`${jobId} ${headCommit}`),
    costs: (jobId, attempt, costUsd) => {
      const known = costs.get(jobId) ?? new Map<string, number>();
      costs.set(jobId, known.set(attempt, Math.max(known.get(attempt) ?? 0, costUsd)));
    },
    retries: (commandId) => void retried.add(commandId),
    lookAround: (server, forge) => {
      for (const { value: job } of server.jobs.entries.values()) {
        lookAtJob(job, server, forge);
        lookAtCost(job, server);
        lookAtEvents(job, server);
      }
      for (const commit of firstParents(forge)) {
        if (!isGreen(server.commits.of(commit).tree)) complain('every commit of the base is green', commit);
      }
    },
  };

  function checkStep(before: Job, after: Job): void {
    const { id } = after;
    if (isTerminal(before.status) && after.status !== before.status) {
      const command = after.commands.find(
        ({ id: one, accepted }) => accepted && retried.has(one) && !before.commands.some((known) => known.id === one),
      );
      if (!command || before.status === 'COMPLETED')
        complain('only a retry leaves an end', `${id} went from ${before.status} to ${after.status}`);
    }
    const [was, is] = [before.lastTask, after.lastTask];
    if (was && is?.id === was.id && (is.dispatch < was.dispatch || is.attempt < was.attempt)) complain('fences only rise', is.id);
    if (after.effectCount < before.effectCount) complain('effects are numbered upwards', id);
  }

  function lookAtJob(job: Job, server: Server, { hosted, mirror }: ForgeWorld): void {
    const requests = hosted.changeRequests.filter(({ jobId }) => jobId === job.id);
    if (requests.length > 1) complain('one change request at most', `${job.id} has ${String(requests.length)}`);
    for (const { reviews } of requests) {
      if (new Set(reviews).size < reviews.length) complain('no review twice', `${job.id}: ${reviews.join(', ')}`);
    }
    const posted = requests.flatMap(({ reviews }) => reviews);
    for (const { round, headCommit, decision } of job.reviews) {
      const review = `${String(round)} ${headCommit} ${decision}`;
      if (!posted.includes(review)) complain('every verdict is posted', `${job.id}: ${review}`);
    }
    if ((job.status === 'COMPLETED') !== merged.has(job.id)) complain('merged means COMPLETED', `${job.id} is ${job.status}`);
    if (!isTerminal(job.status)) return;
    const left = [
      ...(server.open.entries.has(job.id) ? ['its place among the open jobs'] : []),
      ...[...server.claims.entries.keys()].filter((key) => key.startsWith(job.id)).map((key) => `the claim ${key}`),
      ...[...server.bundles.objects.keys()].filter((name) => name.includes(job.id)).map((name) => `the bundle ${name}`),
      ...(job.status === 'COMPLETED' ? [...mirror.pins.keys()].filter((key) => key.startsWith(job.id)).map((key) => `the pin ${key}`) : []),
      ...(job.status === 'COMPLETED' && hosted.branches.has(`multi-agent/${job.id}`) ? ['its branch'] : []),
    ];
    if (left.length > 0) complain('nothing is left behind', `${job.id} is ${job.status} and leaves ${left.join(', ')}`);
  }

  /** However often, and however late, an attempt's cost was told. */
  function lookAtCost({ id, usage }: Job, server: Server): void {
    const told = [...(costs.get(id)?.values() ?? [])].reduce((sum, cost) => sum + cost, 0);
    const isBuried = [...server.dead.messages.values()].some(({ payload }) => (payload as { subject: string }).subject.endsWith(id));
    if (!isBuried && Math.abs(told - usage.costUsd) > 1e-6)
      complain('every attempt is paid for once', `${id}: ${told} was told, ${usage.costUsd} is known`);
  }

  function lookAtEvents(job: Job, server: Server): void {
    const messages = [...server.events.messages.values()].filter(({ payload }) => (payload as JobEventMessage).jobId === job.id);
    const events = messages.map(({ payload }) => (payload as JobEventMessage).event);
    const results = events.filter(({ type }) => type === 'FeatureResult').length;
    if (results !== (endings.get(job.id) ?? 0)) {
      complain('each end is told once', `${job.id} ended ${String(endings.get(job.id) ?? 0)} times and was told ${String(results)} times`);
    }
    const last = events.findLast(({ type }) => type === 'FeatureResult' || type === 'ApprovalNeeded');
    if (job.status === 'WAITING_APPROVAL' && last?.type !== 'ApprovalNeeded') complain('a person is told what is waited for', job.id);
    const twice = messages.find(({ id }, index) => messages.findIndex((other) => other.id === id) !== index);
    if (twice) complain('no event twice', `${twice.id} is there twice`);
  }
}
