import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BuiltPrograms, buildPrograms } from '../support/crash/build.ts';
import { AGENT_POINTS, nameOf } from '../support/crash/points.ts';
import { type PointResult, runPoints } from '../support/crash/run-points.ts';

jest.setTimeout(900_000);

const only = process.env['CRASH_POINTS'];
const POINTS = AGENT_POINTS.filter((point) => only === undefined || nameOf(point).includes(only));

describe('an agent killed at', () => {
  let built: BuiltPrograms;
  let results: Map<string, PointResult>;

  beforeAll(async () => {
    built = await buildPrograms();
    results = await runPoints(built, POINTS);
  });
  afterAll(() => built.remove());

  it.each(POINTS.map(nameOf))('%s loses nothing and does nothing twice', (name) => {
    const result = results.get(name);

    expect(result?.faults.join('\n')).toBe('');
    expect(result?.fired).toBe(true);
  });
});
