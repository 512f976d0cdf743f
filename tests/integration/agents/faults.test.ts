import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ulid } from 'ulid';
import { failureOfBuried } from '../../../src/agents/repo-manager/buried-report.ts';
import { z } from 'zod';
import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import { mergeChange } from '../../../src/agents/repo-manager/effects/merge-change.ts';
import { revokeTask } from '../../../src/agents/repo-manager/effects/revoke-task.ts';
import { createJobHandler } from '../../../src/agents/repo-manager/job-handler.ts';
import type { JobStore } from '../../../src/agents/repo-manager/job-store.ts';
import { taskIdOf } from '../../../src/shared/domain/ids.ts';
import { RetryableError, TerminalError } from '../../../src/shared/errors/errors.ts';
import type { Job } from '../../../src/shared/domain/job.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import type { Forge } from '../../../src/shared/forge/forge.ts';
import { Claim } from '../../../src/shared/messages/agent.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { until } from '../../support/until.ts';

let system: InProcessSystem;
let repository: string;
let context: RepoManagerContext;
/** What the forge does instead of opening a change request. */
let openChangeRequest: (() => never) | undefined;
let refusals = 0;
/** Of which records the writing fails. */
let savingFails: (job: Job) => boolean = () => false;
/** How often reading a job's record fails from now on. */
let loadingFails = 0;
/** What the forge does once it has moved the base. */
let afterLanding: (() => never) | undefined;
let landings = 0;

beforeAll(async () => {
  system = await startSystem({
    coder: 'node {bin}/coder.mjs',
    reviewer: 'node {bin}/reviewer.mjs',
    wrapContext: (wired) => {
      const local = wired.forges.local;
      if (!local) throw new Error('no local forge');
      const failing: Forge = {
        ...local,
        openChangeRequest: (...args) => {
          if (!openChangeRequest) return local.openChangeRequest(...args);
          refusals += 1;
          return Promise.resolve().then(openChangeRequest);
        },
        land: async (...args) => {
          const landing = await local.land(...args);
          landings += 1;
          afterLanding?.();
          return landing;
        },
      };
      const load: JobStore['load'] = async (jobId) => {
        if (loadingFails > 0) {
          loadingFails -= 1;
          throw new RetryableError('busy', 'Busy.', { retryAfterMs: 1_000 });
        }
        return wired.store.load(jobId);
      };
      const save: JobStore['save'] = async (job, previous) => {
        if (savingFails(job)) throw new TerminalError('record_too_large', 'Too large.');
        return wired.store.save(job, previous);
      };
      context = { ...wired, forges: { local: failing }, store: { ...wired.store, load, save } };
      return context;
    },
  });
  repository = await makeRepository();
});
afterAll(async () => {
  await system.stop();
  await rm(repository, { recursive: true, force: true });
});
beforeEach(() => {
  openChangeRequest = undefined;
  refusals = 0;
  afterLanding = undefined;
  landings = 0;
  savingFails = () => false;
});

const forgeIsDown = (): never => {
  throw new RetryableError('forge_down', 'The forge is down.', { retryAfterMs: 100 });
};

describe('a forge that is down', () => {
  it('holds the job up, and loses nothing: it goes on when the forge is back', async () => {
    openChangeRequest = forgeIsDown;
    const jobId = await system.submit(scriptedRequest(repository));
    await until('it was tried several times', () => refusals > 3, 20_000);
    const held = await system.jobWhen(jobId, ({ delay }) => delay !== undefined);

    openChangeRequest = undefined;
    const job = await system.finished(jobId);

    expect(held.delay).toMatchObject({ code: 'forge_down', message: 'The forge is down.' });
    expect(job.status).toBe('COMPLETED');
    expect(job.delay).toBeUndefined();
    expect(git(repository, 'log', '--first-parent', '--format=%b', 'main')).toContain(jobId);
  });

  it('does not keep a person from stopping the job', async () => {
    openChangeRequest = forgeIsDown;
    const jobId = await system.submit(scriptedRequest(repository));
    await until('it was tried several times', () => refusals > 1, 20_000);

    await system.command({ type: 'StopJob', jobId });
    const job = await system.finished(jobId);

    expect(job.status).toBe('CANCELLED');
    expect(job.commands).toEqual([expect.objectContaining({ accepted: true })]);
  });
});

describe('a command that comes late', () => {
  it('does not stop a job that was retried after it', async () => {
    const go = join(repository, '..', `${ulid()}.go`);
    const jobId = await system.submit(scriptedRequest(repository, { exit: 1, waitFor: go }));
    await writeFile(go, '');
    await system.finished(jobId);
    await rm(go);
    await until('no sweep looks at it', async () => (await context.store.openJobs()).length === 0);
    loadingFails = 1;
    await system.command({ type: 'StopJob', jobId });
    await until('the stop was put off', () => loadingFails === 0);

    await system.command({ type: 'RetryJob', jobId });
    const job = await system.jobWhen(jobId, ({ commands }) => commands.length === 2);
    await system.command({ type: 'StopJob', jobId });
    const stopped = await system.finished(jobId);

    expect(job.commands.map(({ accepted }) => accepted)).toEqual([true, false]);
    expect(job.status).not.toBe('CANCELLED');
    expect(stopped.status).toBe('CANCELLED');
  });
});

describe('an effect that fails as nobody expected', () => {
  it('ends the job when it is given up, so that it does not wait for ever', async () => {
    openChangeRequest = () => {
      throw new TypeError('a bug');
    };
    const jobId = await system.submit(scriptedRequest(repository));
    await until('it was tried', () => refusals > 0, 20_000);

    await createJobHandler(context).refuseNext(jobId, 'Gave up after 10 deliveries: a bug');
    const job = await system.finished(jobId);

    expect(job).toMatchObject({
      status: 'FAILED',
      error: { code: 'internal_error', message: expect.stringContaining('a bug'), retryable: true },
    });
  });

  it('does not call a change FAILED that was merged before it failed', async () => {
    afterLanding = () => {
      throw new TypeError('a bug');
    };
    const jobId = await system.submit(scriptedRequest(repository));
    await system.jobWhen(jobId, ({ delay }) => landings > 0 && delay !== undefined);

    await createJobHandler(context).refuseNext(jobId, 'Gave up after 10 deliveries: a bug');
    const job = await system.finished(jobId);

    expect(job.status).toBe('COMPLETED');
    expect(job.changeRequest).toMatchObject({ merged: true, mergeCommit: git(repository, 'rev-parse', 'main') });
  });
});

describe('a result that can not be handled', () => {
  const lost = async (text: (report: object) => string): Promise<Job> => {
    const never = join(repository, '..', `${ulid()}.never`);
    const jobId = await system.submit(scriptedRequest(repository, { waitFor: never }));
    const { task } = await system.jobWhen(jobId, (job) => job.task?.attempt === 1);
    const report = { v: 1, type: 'TaskFailed', jobId, taskId: task?.id, dispatch: 1, attempt: 1, agentId: 'coder-1', at: 1 };
    system.nc.publish(subjects.input('coder', jobId), text(report));
    return system.finished(jobId);
  };

  it('fails its task where it is no valid message', async () => {
    const job = await lost((report) => JSON.stringify({ ...report, error: 'none' }));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'invalid_message', retryable: true } });
  });

  it('fails its task where the job can not be written down with it', async () => {
    const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
    const error = { code: 'too_much', message: 'x', retryable: true };
    savingFails = ({ error: failure }) => failure?.code === 'too_much';

    const job = await lost((report) => JSON.stringify({ ...report, usage, error }));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'record_too_large' } });
  });

  it('says nothing where it came by the subject of another', async () => {
    const handler = createJobHandler(context);
    const jobId = await system.submit(scriptedRequest(repository));
    const job = await system.finished(jobId);
    const report = { v: 1, type: 'TaskFailed', jobId, taskId: `${jobId}.implement.1`, dispatch: 1, attempt: 1 };
    const data = new TextEncoder().encode(JSON.stringify(report));
    const reason = { code: 'x', message: 'y' };

    const [own, anothers] = ['coder', 'reviewer'].map((role) =>
      failureOfBuried({ data, subject: subjects.input(role as 'coder' | 'reviewer', jobId) }, reason, 1),
    );

    expect(own).toMatchObject({ type: 'TaskFailed', error: { code: 'x' } });
    expect(anothers).toBeNull();
    expect(await handler.handle(jobId, own ?? { type: 'Swept', taskMessage: 'unknown', at: 1 })).toEqual(job);
  });
});

describe("another host's job", () => {
  it('is left to the repo-manager there', async () => {
    const handler = createJobHandler({ ...context, host: 'elsewhere' });
    const jobId = await system.submit(scriptedRequest(repository));
    await system.finished(jobId);

    await expect(handler.handle(jobId, { type: 'Swept', taskMessage: 'unknown', at: 1 })).rejects.toMatchObject({ code: 'other_host' });
  });

  it('can be stopped all the same when nobody is there any more', async () => {
    const elsewhere = (isUp: boolean) => {
      const otherHomes = { mayTake: () => Promise.resolve(false), isUp: () => Promise.resolve(isUp) };
      return createJobHandler({ ...context, host: 'elsewhere', otherHomes });
    };
    const never = join(repository, '..', `${ulid()}.never`);
    const jobId = await system.submit(scriptedRequest(repository, { waitFor: never }));
    await system.jobWhen(jobId, ({ task }) => task?.startedAt !== undefined);
    const stop = { type: 'StopRequested', commandId: 'cmd-elsewhere', at: Date.now() } as const;

    await expect(elsewhere(true).handle(jobId, stop)).rejects.toMatchObject({ code: 'other_host' });
    const job = await elsewhere(false).handle(jobId, stop);

    expect(job).toMatchObject({ status: 'CANCELLED', pending: [] });
  });
});

describe('a job nobody asked for', () => {
  it('can be told nothing', async () => {
    await expect(createJobHandler(context).handle(`job-${ulid()}`, { type: 'StopRequested', commandId: 'x', at: 1 })).rejects.toMatchObject(
      { code: 'no_such_job' },
    );
  });
});

describe('a repo-manager that was paused', () => {
  it('merges nothing for a job that went on without it', async () => {
    const job = await system.finished(await system.submit(scriptedRequest(repository)));
    const before = git(repository, 'rev-parse', 'main');

    const merging = mergeChange(
      context,
      { ...job, status: 'IN_PROGRESS' },
      { type: 'MergeChange', headCommit: job.headCommit ?? '', at: 1 },
    );

    await expect(merging).rejects.toMatchObject({ code: 'merge_superseded' });
    expect(git(repository, 'rev-parse', 'main')).toBe(before);
  });

  it('and took a job out of the open ones that was reopened meanwhile, is put right by whoever finds something to do', async () => {
    openChangeRequest = forgeIsDown;
    const jobId = await system.submit(scriptedRequest(repository));
    await until('the job is held up', () => refusals > 1, 20_000);
    const open = await openBucket(system.nc, BUCKETS.open, z.unknown());
    await open.remove(jobId, (await open.get(jobId))?.revision ?? 0);

    await until('it is open again', async () => (await context.store.openJobs()).includes(jobId));

    openChangeRequest = undefined;
    expect((await system.finished(jobId)).status).toBe('COMPLETED');
  });
});

describe('a revoked task', () => {
  it('leaves the queue with every copy of it that is known', async () => {
    const job = await system.finished(await system.submit(scriptedRequest(repository)));
    const taskId = taskIdOf(job.id, 'coder', 9);
    const removed: number[] = [];
    const bus = { ...context.bus, removeTask: (seq: number) => Promise.resolve(void removed.push(seq)) };
    const claim = { taskId, dispatch: 1, streamSeq: 11, attempt: 1, agentId: 'coder-1', incarnation: 'x', handBacks: 0, handedBack: false };
    // As the coder would: a repo-manager writes none.
    await (await openBucket(system.nc, BUCKETS.claims, Claim)).create(taskId, versioned(claim));

    await revokeTask({ ...context, bus }, job, { type: 'RevokeTask', taskId, dispatch: 1, streamSeq: 12 });

    expect(removed.sort()).toEqual([11, 12]);
    expect(await context.claims.get(taskId)).toBeNull();
  });
});
