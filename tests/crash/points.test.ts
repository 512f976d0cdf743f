import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BuiltPrograms, buildPrograms } from '../support/built-programs.ts';
import { AGENT_POINTS, nameOf, REPO_MANAGER_POINTS, sharingJobs } from '../support/crash/points.ts';
import { type PointResult, runPoints } from '../support/crash/run-points.ts';

jest.setTimeout(900_000);

/** `CRASH_POINTS` picks those whose name has it somewhere. */
const only = process.env['CRASH_POINTS'];
const POINTS = [...REPO_MANAGER_POINTS, ...AGENT_POINTS].filter((point) => only === undefined || nameOf(point).includes(only));

describe('a daemon killed at', () => {
  let built: BuiltPrograms;
  let results: Map<string, PointResult>;

  beforeAll(async () => {
    built = await buildPrograms('crash');
    results = await runPoints(built, sharingJobs(POINTS));
  });
  afterAll(() => built.remove());

  it.each(POINTS.map(nameOf))('%s loses nothing and does nothing twice', (name) => {
    const result = results.get(name);

    expect(result?.faults.join('\n')).toBe('');
    expect(result?.fired).toBe(true);
  });
});
