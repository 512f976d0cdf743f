import { ulid } from 'ulid';
import { DEFAULT_WORKFLOW } from '../../../src/shared/domain/feature.ts';
import { PRIORITIES } from '../../../src/shared/domain/priority.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import { type Behaviour, BEHAVIOURS } from './behaviours.ts';
import type { Random } from './random.ts';

export interface PlannedJob {
  readonly id: string;
  readonly repository: string;
  readonly behaviour: Behaviour;
  readonly request: FeatureRequest;
  /** The request is handed in twice, as by somebody who got no answer. */
  readonly isSubmittedTwice: boolean;
  /** For a job that a person stops: how long after it was submitted (milliseconds). */
  readonly stopAfterMs: number;
}

const TWICE = 0.1;
/** Of any year: ids are made from the seed, and from nothing else. */
const ID_TIME = 1_750_000_000_000;

/** The jobs of a seed, one after the other. */
export function* planJobs(
  random: Random,
  repositories: readonly string[],
  behaviours: readonly Behaviour[] = BEHAVIOURS,
): Generator<PlannedJob, never> {
  for (let n = 1; ; n++) {
    const id = `job-${ulid(ID_TIME + n, () => random.next())}`;
    const repository = random.pick(repositories);
    const behaviour = byWeight(random, behaviours);
    yield {
      id,
      repository,
      behaviour,
      request: requestOf(random, id, repository, behaviour),
      isSubmittedTwice: random.happens(TWICE),
      stopAfterMs: random.between(0, 4_000),
    };
  }
}

function byWeight(random: Random, behaviours: readonly Behaviour[]): Behaviour {
  const total = behaviours.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.next() * total;
  const found = behaviours.find(({ weight }) => (left -= weight) < 0);
  return found ?? random.pick(behaviours);
}

function requestOf(random: Random, jobId: string, repository: string, { name, merge }: Behaviour): FeatureRequest {
  return versioned({
    type: 'FeatureRequest' as const,
    jobId,
    priority: random.pick(PRIORITIES),
    repository: { kind: 'local' as const, url: repository },
    feature: { title: `A feature (${name})`, description: 'Do it.', requirements: [], acceptanceCriteria: [] },
    workflow: { ...DEFAULT_WORKFLOW, timeoutMs: 120_000, ...(merge ? { merge } : {}) },
    submittedAt: ID_TIME,
  });
}
