import { describe, expect, it } from '@jest/globals';
import { FeatureRequest } from '../../src/shared/messages/feature-request.ts';
import { BEHAVIOURS } from '../support/chaos/behaviours.ts';
import { chaosOptions } from '../support/chaos/chaos-options.ts';
import { type PlannedJob, planJobs } from '../support/chaos/plan.ts';
import { createRandom } from '../support/chaos/random.ts';

const REPOSITORIES = ['/a', '/b', '/c'];

describe('the jobs of a seed', () => {
  it('are the same each time, and others for another seed', () => {
    expect(first(50, 'one')).toEqual(first(50, 'one'));
    expect(first(50, 'one').map(({ id }) => id)).not.toEqual(first(50, 'two').map(({ id }) => id));
  });

  it('are requests as the product takes them, of every behaviour there is', () => {
    const jobs = first(1_000, 'many');

    expect(jobs.map(({ request }) => FeatureRequest.safeParse(request).error)).toEqual(jobs.map(() => undefined));
    expect(new Set(jobs.map(({ behaviour }) => behaviour.name))).toEqual(new Set(BEHAVIOURS.map(({ name }) => name)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1_000);
  });
});

describe('chance', () => {
  it('of one kind does not depend on how often another kind was asked', () => {
    const [one, other] = [createRandom('seed'), createRandom('seed')];
    other.apart('nats').next();
    other.next();

    expect(one.apart('daemon').next()).toBe(other.apart('daemon').next());
  });
});

describe('the options of chaos', () => {
  it('are ten minutes of everything by default, and two with --quick', () => {
    expect(chaosOptions([])).toMatchObject({ seconds: 600, isNaive: false, pace: 3 });
    expect(chaosOptions(['--quick'])).toMatchObject({ seconds: 120, pace: 1 });
    expect(chaosOptions(['--quick', '--json', '--seed', 'x'])).toMatchObject({ seconds: 120, isJson: true, seed: 'x' });
    expect(chaosOptions(['--jobs', '5'])).toMatchObject({ jobs: 5, seconds: Number.POSITIVE_INFINITY });
  });

  it.each([['--minutes', '-1'], ['--seconds', 'many'], ['--harm', 'sunshine'], ['--unknown']])('refuse %s %s', (...args) => {
    expect(() => chaosOptions(args)).toThrow();
  });
});

function first(count: number, seed: string): PlannedJob[] {
  const plans = planJobs(createRandom(seed), REPOSITORIES);
  return Array.from({ length: count }, () => plans.next().value);
}
