import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { faultsAfter } from '../support/crash/oracle.ts';
import { AGENT_POINTS, type CrashPoint, REPO_MANAGER_POINTS } from '../support/crash/points.ts';
import { runPoints } from '../support/crash/run-points.ts';
import type { Sabotage } from '../support/crash/sabotage.ts';
import { type Role, startCrashSystem } from '../support/crash/system.ts';

jest.setTimeout(900_000);

/** What each sabotage breaks when the process ends at the point, and what the oracle has to say about it. */
const CONTROLS: readonly (CrashPoint & { sabotage: Sabotage; says: RegExp })[] = [
  { sabotage: 'no-look-up', role: 'repo-manager', at: 'after', call: 'forge land', says: /first-parent commits: 3/ },
  { sabotage: 'effects-beside', role: 'repo-manager', at: 'before', call: 'forge openChangeRequest', says: /not finished/ },
  { sabotage: 'review-again', role: 'repo-manager', at: 'done', call: 'effect PostReview', says: /reviews of the change request: 2/ },
];

/** Calls that only read, and what is told beside the job: nothing depends on them. */
const HARMLESS = [
  /^git (cat-file|config|diff|diff-tree|for-each-ref|log|ls-files|ls-tree|merge-base|rev-list|rev-parse|status)$/,
  // Of what the agents say, nothing is ever read again by us; their index and tree are thrown away with the workspace.
  /^publish event\.TaskStarted$/,
  /^(runner needsWorkspace|git clean|git update-index)$/,
  // The sweep's look at what is stored.
  /^bundles jobs$/,
  // Of a start, and of no job: what it finds is found again at the next one.
  /^forge settleBegun$/,
  // A pack is made in memory, and is lost with its maker.
  /^git pack-objects$/,
  // The same moments go by other names: an effect of the same record, the agents' own name for it.
  /^(effect PublishEvent\.\w+|effect SendTask\.reviewer\.2|send ack)$/,
];

let built: BuiltPrograms;

beforeAll(async () => {
  built = await buildPrograms('crash');
});
afterAll(() => built.remove());

describe('the crash tests', () => {
  it.each(CONTROLS)('see that $sabotage is wrong when it is killed $at $call', async ({ sabotage, says, ...point }) => {
    const [result] = (await runPoints(built, [point], { sabotage, withinMs: 15_000 })).values();

    expect(result?.fired).toBe(true);
    expect(result?.faults.join('\n')).toMatch(says);
  });

  it.each(['no-look-up', 'review-again'] as const)('see nothing wrong with %s while nothing crashes', async (sabotage) => {
    const system = await startCrashSystem(built, { sabotage });
    try {
      expect(await faultsAfter(system, await system.submit())).toEqual([]);
    } finally {
      await system.stop();
    }
  });

  it('know every call by which a job is done', async () => {
    const system = await startCrashSystem(built);
    try {
      expect(await faultsAfter(system, await system.submit({ rounds: 2 }))).toEqual([]);

      expect(unknownCalls(system.calls('repo-manager'), 'repo-manager')).toEqual([]);
      expect(unknownCalls(system.calls('coder'), 'coder')).toEqual([]);
      expect(unknownCalls(system.calls('reviewer'), 'reviewer')).toEqual([]);
    } finally {
      await system.stop();
    }
  });
});

function unknownCalls(lines: readonly string[], role: Role): string[] {
  const known = new Set([...REPO_MANAGER_POINTS, ...AGENT_POINTS].filter((point) => point.role === role).map(({ call }) => call));
  const calls = new Set(lines.map((line) => line.slice(line.indexOf(' ') + 1)));
  return [...calls].filter((call) => !known.has(call) && !HARMLESS.some((pattern) => pattern.test(call)));
}
