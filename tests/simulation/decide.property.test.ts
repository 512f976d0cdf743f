import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/shared/domain/decide.ts';
import { isCurrent } from '../../src/shared/domain/step.ts';
import type { Decide } from '../unit/shared/domain/invariants.ts';
import { createWorld, type Move, type PersonCommand, type Setting, type TaskEnding } from '../unit/shared/domain/world.ts';

const RUNS = 10_000;
/** About 10 s alone; several times that on a machine that is busy with other things. */
const LONGEST_MS = 120_000;
/** So that the random part begins in every phase of a job. */
const GOOD_START = 16;
const MOVES = 24;
const CONTROL_RUNS = 20_000;
/** A mistake is to be found each time, and not nearly each time. */
const CONTROL_SEED = 1;
/** A world that behaves again may first have to be told so: a budget or a limit that was used up is granted once a retry. */
const RETRIES = 3;

const pick = fc.nat({ max: 41 });
const endings: readonly TaskEnding[] = [
  'done',
  'done',
  'APPROVE',
  'REQUEST_CHANGES',
  'COMMENT',
  'abandoned',
  'failed',
  'failedWithWork',
  'otherHead',
];
const commands: readonly PersonCommand[] = ['stop', 'approve', 'approveOther', 'reject', 'retry', 'retry'];

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ type: fc.constant('carryOut'), pick, recorded: fc.nat({ max: 4 }).map((n) => n > 0) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash'), count: fc.integer({ min: 1, max: 4 }), pick }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('takeTask'), pick }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('finishTask'), pick, ending: fc.constantFrom(...endings) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('deliver'), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deliverAgain'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('command'), command: fc.constantFrom(...commands), late: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep'), taskMessage: fc.constantFrom('present', 'absent', 'unknown') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait'), ms: fc.nat({ max: 60_000 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('interrupt') }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('behave'), times: fc.integer({ min: 1, max: 8 }) }) },
);
const setting: fc.Arbitrary<Setting> = fc.record({
  merge: fc.constantFrom('auto', 'auto', 'manual'),
  maxRounds: fc.integer({ min: 1, max: 3 }),
  maxCostUsd: fc.constantFrom(undefined, undefined, 0.5, 1.5),
});

describe('a job in a world where everything goes wrong', () => {
  it(
    'keeps every invariant at every step, and reaches its end as soon as the world behaves',
    () => {
      fc.assert(livesThrough(decide), { numRuns: RUNS });
    },
    LONGEST_MS,
  );
});

/** What would be wrong, done on purpose: a property that does not see it proves nothing. */
const mistakes: readonly (readonly [string, RegExp, Decide])[] = [
  [
    'merges what was pushed after the verdict',
    /nobody approved/,
    (job, input) => {
      const headMoved = job && input.type === 'EffectFinished' && input.outcome.type === 'HeadMoved' ? input.outcome : undefined;
      const merge = job?.pending.find(({ effect }) => effect.type === 'MergeChange');
      if (!job || !headMoved || !merge) return decide(job, input);
      const effect = { type: 'MergeChange', headCommit: headMoved.headCommit, at: 1 } as const;
      return { ...job, headCommit: headMoved.headCommit, pending: [{ id: merge.id, effect }] };
    },
  ],
  [
    'takes the result of an attempt that was replaced',
    /a stale \w+ changed the job/,
    (job, input) => {
      const task = job?.task;
      const stale = task && 'taskId' in input && input.taskId === task.id && !isCurrent(job, input);
      return decide(job, stale ? { ...input, dispatch: task.dispatch, attempt: Math.max(1, task.attempt) } : input);
    },
  ],
  [
    'counts what an attempt cost whenever it is told',
    /the attempts cost/,
    (job, input) => {
      const { attempts: _, ...forgetful } = job ?? {};
      const next = decide(job && (forgetful as typeof job), input);
      return job && next === forgetful ? job : next;
    },
  ],
  [
    'counts dispatches anew after a retry',
    /went back|is to be revoked/,
    (job, input) => {
      if (!job?.lastTask || input.type !== 'RetryRequested') return decide(job, input);
      const { lastTask: _, ...forgetful } = job;
      return decide(forgetful, input);
    },
  ],
  [
    'cancels a job while its merge is under way',
    /MergeChange is still to be done|ended, and waits for something/,
    (job, input) => {
      const next = decide(job, input);
      if (!job || !next.stopRequested) return next;
      const { stopRequested: _, ...rest } = next;
      return { ...rest, status: 'CANCELLED', phase: 'done', stoppedPhase: next.phase, finishedAt: input.at };
    },
  ],
  [
    'forgets the effect of a verdict',
    /waits for nothing/,
    (job, input) => {
      const next = decide(job, input);
      const verdict = input.type === 'ReviewFinished' && next !== job;
      return verdict ? { ...next, pending: next.pending.filter(({ effect }) => effect.type !== 'MergeChange') } : next;
    },
  ],
];

describe('the properties as a control', () => {
  it.each(mistakes)('find a decide that %s', (_, complaint, broken) => {
    const result = fc.check(livesThrough(broken), { numRuns: CONTROL_RUNS, seed: CONTROL_SEED, endOnFailure: true });

    expect(String(result.errorInstance)).toMatch(complaint);
  });
});

/** Lives through the moves, then lets the world behave: what has not ended ends, and what failed or was cancelled can be retried to the end. */
function livesThrough(decideJob: Decide) {
  return fc.property(setting, fc.nat({ max: GOOD_START }), fc.array(move, { maxLength: MOVES }), (chosen, times, moves) => {
    const world = createWorld(chosen, decideJob);
    world.move({ type: 'behave', times });

    for (const what of moves) world.move(what);

    world.run();
    for (let retries = 0; retries < RETRIES && world.job.status !== 'COMPLETED'; retries++) {
      world.retry();
      world.run();
    }
    if (world.job.status !== 'COMPLETED') throw new Error(`${world.job.status} in a world that behaves: ${JSON.stringify(world.job)}`);
  });
}
