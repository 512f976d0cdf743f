import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BuiltPrograms, buildPrograms } from '../built-programs.ts';
import { type CrashPoint, nameOf } from './points.ts';
import { type PointResult, runPoints } from './run-points.ts';

/** Runs a job for each of the points and makes a test of each. `CRASH_POINTS` picks those whose name has it somewhere. */
export function describePoints(title: string, all: readonly CrashPoint[]): void {
  jest.setTimeout(900_000);
  const only = process.env['CRASH_POINTS'];
  const points = all.filter((point) => only === undefined || nameOf(point).includes(only));

  describe(title, () => {
    let built: BuiltPrograms;
    let results: Map<string, PointResult>;

    beforeAll(async () => {
      built = await buildPrograms('crash');
      results = await runPoints(built, points);
    });
    afterAll(() => built.remove());

    it.each(points.map(nameOf))('%s loses nothing and does nothing twice', (name) => {
      const result = results.get(name);

      expect(result?.faults.join('\n')).toBe('');
      expect(result?.fired).toBe(true);
    });
  });
}
