import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RepoManagerContext } from '../../../../src/agents/repo-manager/context.ts';
import { createJobHandler } from '../../../../src/agents/repo-manager/job-handler.ts';
import type { JobInput } from '../../../../src/shared/domain/input.ts';
import type { Job } from '../../../../src/shared/domain/job.ts';
import type { Entry } from '../../../../src/shared/messaging/bucket.ts';

const ID = 'job-01ARZ3NDEKTSV4RRFFQ69G5FAV';

/** As much of a job, and of an input, as the handler looks at: `round` counts, and an input says from where to where it counts. */
const jobAt = (round: number): Job => ({ id: ID, status: 'IN_PROGRESS', round, pending: [] }) as unknown as Job;
const step = (from: number): JobInput => ({ type: 'TaskStarted', at: from }) as unknown as JobInput;

let stored: Entry<Job> | null;
let loads: number;

/** Repo-managers that share what is stored. */
function handlerOf() {
  const context = {
    decide: (job: Job, { at }: { at: number }) => (job.round === at ? jobAt(at + 1) : job),
    store: {
      load: () => {
        loads += 1;
        return Promise.resolve(stored);
      },
      save: (job: Job, previous: Entry<Job> | null) => {
        if (stored?.revision !== previous?.revision) return Promise.resolve(null);
        stored = { key: ID, value: job, revision: (previous?.revision ?? 0) + 1 };
        return Promise.resolve(stored);
      },
    },
    stopping: new AbortController().signal,
  };
  return createJobHandler(context as unknown as RepoManagerContext);
}

beforeEach(() => {
  stored = { key: ID, value: jobAt(0), revision: 1 };
  loads = 0;
});

describe('the handler of inputs', () => {
  it('does not read again what it has just stored', async () => {
    const handler = handlerOf();

    for (let n = 0; n < 5; n++) await handler.handle(ID, step(n));

    expect(stored?.value.round).toBe(5);
    expect(loads).toBe(1);
  });

  it('never takes it for granted that an input says nothing to a job that another has gone on with', async () => {
    const [one, two] = [handlerOf(), handlerOf()];
    await one.handle(ID, step(0));
    await two.handle(ID, step(1));

    const job = await one.handle(ID, step(2));

    expect(job.round).toBe(3);
  });

  it('decides anew where another has gone on with the job', async () => {
    const [one, two] = [handlerOf(), handlerOf()];
    await one.handle(ID, step(0));
    await two.handle(ID, step(1));

    expect((await one.handle(ID, step(1))).round).toBe(2);
    expect(stored?.value.round).toBe(2);
  });

  it('reads again after the connection was lost: the server may have lost what it acknowledged, and given its number away', async () => {
    const handler = handlerOf();
    await handler.handle(ID, step(0));
    const lost = stored?.revision ?? 0;
    stored = { key: ID, value: jobAt(7), revision: lost };

    handler.forgetRecords();

    expect((await handler.handle(ID, step(7))).round).toBe(8);
    expect((await handler.handle(ID, step(1))).round).toBe(8);
  });
});
