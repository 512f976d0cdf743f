import { describe, expect, it } from '@jest/globals';
import { runSeeds } from '../support/simulation/many.ts';
import { runSeed } from '../support/simulation/simulate.ts';
import { type Sabotage, SABOTAGES } from '../support/simulation/sabotage.ts';

const FIRST = Number(process.env['SIMULATION_SEED'] ?? 1);
const COUNT = Number(process.env['SIMULATION_SEEDS'] ?? 150);
/** A sabotaged repo-manager has to be found out within so many seeds. */
const CONTROL_SEEDS = 400;

describe('state machine and repo-manager in a world where everything goes wrong', () => {
  it(`break no rule in the lives of ${String(COUNT)} seeds from ${String(FIRST)}`, async () => {
    const fault = await runSeeds({ first: FIRST, count: COUNT });

    expect(fault?.report ?? '').toBe('');
  });

  it('live the same life for the same seed', async () => {
    const lives: string[][] = [[], []];

    for (const life of lives) await runSeed(FIRST + 7, { tell: (line) => life.push(line) });

    expect(lives[0]).toEqual(lives[1]);
    expect(lives[0]?.length).toBeGreaterThan(10);
  });
});

const CONTROLS: readonly (readonly [Sabotage, RegExp])[] = [
  ['no look-up before create', /one change request at most/],
  ['no look for an earlier merge', /one merge at most/],
  ['no compare-and-set', /fences only rise|effects are numbered upwards|only a retry leaves an end|one merge|a job/],
  ['ack before record', /a job ends, or waits for a person|nothing is left behind|every attempt is paid for once/],
  ['effects beside the record', /a job waits for exactly one thing/],
  ['the open list behind the record', /a job ends, or waits for a person/],
  ['events without an id', /each end is told once|no event twice/],
  ['a review posted blindly', /no review twice/],
  ['claims left behind', /nothing is left behind/],
];

describe('the simulation as a control', () => {
  it('knows every sabotage there is', () => {
    expect(CONTROLS.map(([name]) => name).sort()).toEqual(Object.keys(SABOTAGES).sort());
  });

  it('makes a seed that fails short, and says what it takes', async () => {
    const fault = await runSeeds({ first: 1, count: CONTROL_SEEDS, sabotage: 'a review posted blindly' });

    const [, needed = '', of = ''] = /What it takes, (\d+) of (\d+):/.exec(fault?.report ?? '') ?? [];
    expect(fault?.report).toContain('no review twice');
    expect(Number(of)).toBeGreaterThan(5);
    expect(Number(needed)).toBeLessThan(Number(of) / 2);
  });

  it.each(CONTROLS)('finds a repo-manager with: %s', async (sabotage, rule) => {
    const fault = await runSeeds({ first: 1, count: CONTROL_SEEDS, sabotage, shrinks: false });

    expect(fault?.rule).toMatch(rule);
  });
});
