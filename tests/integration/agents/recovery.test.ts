import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { ulid } from 'ulid';
import { z } from 'zod';
import { DEFAULT_WORKFLOW } from '../../../src/shared/domain/feature.ts';
import { taskIdOf } from '../../../src/shared/domain/ids.ts';
import { Claim, DeadLetter } from '../../../src/shared/messages/agent.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { BUCKETS, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { until } from '../../support/until.ts';

let system: InProcessSystem;
let repository: string;
let clock = 0;

beforeAll(async () => {
  system = await startSystem({
    coder: 'node {bin}/coder.mjs',
    reviewer: 'node {bin}/reviewer.mjs',
    wrapContext: (context) => ({ ...context, now: () => Date.now() + clock }),
  });
});
afterAll(async () => {
  await system.stop();
});
beforeEach(async () => {
  repository = await makeRepository();
});
afterEach(async () => {
  await rm(repository, { recursive: true, force: true });
});

const request = (script?: object | string) => scriptedRequest(repository, script);

async function deadLetters(): Promise<DeadLetter[]> {
  const jsm = await jetstreamManager(system.nc);
  const { state } = await jsm.streams.info(STREAMS.dead);
  const letters: DeadLetter[] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const stored = await jsm.streams.getMessage(STREAMS.dead, { seq });
    if (stored) letters.push(DeadLetter.parse(stored.json()));
  }
  return letters;
}

describe('a task that is handed back', () => {
  it('goes on from what the stopped agent left, and counts as no failure', async () => {
    const go = join(repository, '..', `${ulid()}.go`);
    const stamp = join(repository, '..', `${ulid()}.stamp`);
    const jobId = await system.submit(request({ half: true, waitFor: go, stamp }));
    await until('the runner has started', async () => (await readFile(stamp, 'utf8').catch(() => '')) !== '');

    await system.agents[0]?.stop(AbortSignal.abort());
    const claims = await openBucket(system.nc, BUCKETS.claims, Claim);
    const left = await claims.get(taskIdOf(jobId, 'coder', 1));
    await writeFile(go, '');
    system.agents[0] = await system.startCoder(1);
    const job = await system.finished(jobId);

    expect(left?.value).toMatchObject({ handedBack: true, handBacks: 1, attempt: 1, wip: { name: expect.stringMatching(/\.wip$/) } });
    expect(job).toMatchObject({ status: 'COMPLETED', lastTask: { dispatch: 1 } });
    expect((await readFile(stamp, 'utf8')).trim().split('\n')).toEqual(['1 1 new', '1 2 half']);
    expect(git(repository, 'show', 'main:half.txt')).toBe('half of it');
    await rm(go);
    await rm(stamp);
  });
});

describe('a task whose agent died', () => {
  it('is sent out again as soon as the agent is back, and the earlier attempt is fenced', async () => {
    const claims = await openBucket(system.nc, BUCKETS.claims, Claim);
    await system.agents[0]?.stop(AbortSignal.abort());
    const jobId = await system.submit(request());
    const queued = await system.jobWhen(jobId, ({ task }) => task?.streamSeq !== undefined);
    const taskId = taskIdOf(jobId, 'coder', 1);
    await claims.create(taskId, {
      v: 1,
      taskId,
      dispatch: 1,
      streamSeq: queued.task?.streamSeq ?? 0,
      attempt: 1,
      agentId: 'coder-1',
      incarnation: 'one that died',
      handBacks: 0,
      handedBack: false,
    });

    system.agents[0] = await system.startCoder(1);
    const job = await system.finished(jobId);

    expect(job.status).toBe('COMPLETED');
    expect(await claims.get(taskId)).toBeNull();
  });

  it('is found by the sweep when its message is gone and no result came', async () => {
    await system.agents[0]?.stop(AbortSignal.abort());
    const jobId = await system.submit(request());
    const queued = await system.jobWhen(jobId, ({ task }) => task?.streamSeq !== undefined);
    await (await jetstreamManager(system.nc)).streams.deleteMessage(STREAMS.tasks, queued.task?.streamSeq ?? 0);

    await system.jobWhen(jobId, ({ task }) => task?.missingSince !== undefined);
    clock = 60_000;
    const again = await system.jobWhen(jobId, ({ task }) => task?.dispatch === 2);
    clock = 0;
    system.agents[0] = await system.startCoder(1);
    const job = await system.finished(jobId);

    expect(again.task?.id).toBe(taskIdOf(jobId, 'coder', 1));
    expect(job.status).toBe('COMPLETED');
  });
});

describe('a message nobody can handle', () => {
  it('goes to the dead letters with the reason, and the queue goes on', async () => {
    const js = await jetstreamManager(system.nc);
    system.nc.publish(subjects.task('coder', 'urgent'), 'not json');
    system.nc.publish(subjects.input('coder', `job-${ulid()}`), JSON.stringify({ v: 1, type: 'Nonsense' }));
    const jobId = await system.submit(request());

    const job = await system.finished(jobId);
    await until('both are dead letters', async () => (await deadLetters()).length >= 2);

    expect(job.status).toBe('COMPLETED');
    expect((await deadLetters()).map(({ reason }) => reason.code)).toEqual(expect.arrayContaining(['invalid_message']));
    // Well before the lease is over: what is done is acknowledged, not left to be delivered again.
    await until('TASKS is empty', async () => (await js.streams.info(STREAMS.tasks)).state.messages === 0, 1_000);
    await until('INPUTS is empty', async () => (await js.streams.info(STREAMS.inputs)).state.messages === 0);
  });

  it('tells its job when it names one', async () => {
    await system.agents[0]?.stop(AbortSignal.abort());
    const jobId = await system.submit(request());
    const queued = await system.jobWhen(jobId, ({ task }) => task?.streamSeq !== undefined);
    const jsm = await jetstreamManager(system.nc);
    const message = await jsm.streams.getMessage(STREAMS.tasks, { seq: queued.task?.streamSeq ?? 0 });
    await jsm.streams.deleteMessage(STREAMS.tasks, queued.task?.streamSeq ?? 0);
    system.nc.publish(subjects.task('coder', 'normal'), JSON.stringify({ ...message?.json<object>(), unknown: 1 }));

    system.agents[0] = await system.startCoder(1);
    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'invalid_message', retryable: true } });
  });

  it('gives a runner up that is never available, after all deliveries', async () => {
    const jobId = await system.submit(request({ exit: 75 }));

    const job = await system.finished(jobId, 60_000);

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'runner_unavailable', retryable: true } });
    expect((await deadLetters()).at(-1)).toMatchObject({ reason: { code: 'runner_unavailable' }, deliveries: 5 });
  });
});

describe("a job's record that can't be read", () => {
  it('keeps no other job from going on, and what comes for it is a dead letter', async () => {
    const loose = await openBucket(system.nc, BUCKETS.jobs, z.unknown());
    const claims = await openBucket(system.nc, BUCKETS.claims, z.unknown());
    const broken = await system.submit(request());
    const good = await system.submit(request());
    const ended = await system.finished(broken);
    await system.finished(good);
    await loose.put(broken, { ...ended, usage: { ...ended.usage, costUsd: null } });
    const claim = { v: 1, dispatch: 1, streamSeq: 1, attempt: 1, agentId: 'coder-9', incarnation: 'x', handBacks: 0, handedBack: false };
    for (const jobId of [broken, good]) await claims.put(`${jobId}.implement.1`, { ...claim, taskId: `${jobId}.implement.1` });

    await system.command({ type: 'RetryJob', jobId: broken });
    await until('it is a dead letter', async () => (await deadLetters()).some(({ subject }) => subject.endsWith(broken)));
    await until('the claim of the other is removed', async () => (await claims.get(`${good}.implement.1`)) === null);

    expect((await deadLetters()).find(({ subject }) => subject.endsWith(broken))?.reason.code).toBe('unreadable_record');
    await loose.put(broken, ended);
    await until('its own claim is removed, too', async () => (await claims.get(`${broken}.implement.1`)) === null);
  });
});

describe("an agent's cache", () => {
  it('is filled anew when it lacks what the bundle builds on', async () => {
    const first = await system.submit(request());
    await system.finished(first);
    await rm(join(system.home, 'repositories'), { recursive: true });

    const second = await system.submit(request());
    const job = await system.finished(second);

    expect(job.status).toBe('COMPLETED');
  });
});

describe('a change that does not go with its base', () => {
  it('is merged after a conflict round, with one first-parent commit a job', async () => {
    const jobs = await Promise.all([1, 2, 3].map((n) => system.submit(request({ files: { 'list.txt': `job ${String(n)}\n` } }))));
    const ended = await Promise.all(jobs.map((jobId) => system.finished(jobId, 60_000)));

    expect(ended.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    expect(ended.reduce((sum, { conflictRounds }) => sum + conflictRounds, 0)).toBeGreaterThan(0);
    expect(git(repository, 'rev-list', '--first-parent', '--count', 'main')).toBe('4');
    expect(git(repository, 'show', 'main:list.txt').split('\n').sort()).toEqual(['job 1', 'job 2', 'job 3']);
  });

  it('waits where the base is checked out with changes of the user, and goes on when they are gone', async () => {
    await writeFile(join(repository, 'README.md'), 'being edited\n');
    const jobId = await system.submit(request());
    const waiting = await system.jobWhen(jobId, ({ status }) => status === 'WAITING_APPROVAL');
    expect(waiting.needs).toMatchObject({ kind: 'dirty_tree' });
    expect(git(repository, 'rev-list', '--first-parent', '--count', 'main')).toBe('1');

    git(repository, 'checkout', '--', 'README.md');
    const job = await system.finished(jobId);

    expect(job.status).toBe('COMPLETED');
    expect(git(repository, 'status', '--porcelain')).toBe('');
  });
});

describe('a command', () => {
  it('stops a job while its runner works, and ends the runner', async () => {
    const never = join(repository, '..', `${ulid()}.never`);
    const stamp = join(repository, '..', `${ulid()}.stamp`);
    const jobId = await system.submit(request({ waitFor: never, stamp }));
    await until('the runner has started', async () => (await readFile(stamp, 'utf8').catch(() => '')) !== '');

    await system.command({ type: 'StopJob', jobId });
    const job = await system.finished(jobId);
    const next = await system.finished(await system.submit(request()));

    expect(job).toMatchObject({ status: 'CANCELLED', stoppedPhase: 'implementing' });
    expect(next.status).toBe('COMPLETED');
    await rm(stamp);
  });

  it('retries a failed job on the same branch', async () => {
    const jobId = await system.submit(request({ exit: 1 }));
    const failed = await system.finished(jobId);
    expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'runner_failed' } });

    await system.command({ type: 'RetryJob', jobId });
    const again = await system.jobWhen(jobId, ({ lastTask, status }) => status === 'FAILED' && lastTask?.dispatch === 2);

    expect(again.error?.code).toBe('runner_failed');
  });

  it('for a job that nobody asked for is a dead letter', async () => {
    const jobId = `job-${ulid()}`;
    await system.command({ type: 'StopJob', jobId });

    await until('it is a dead letter', async () => (await deadLetters()).some(({ subject }) => subject.endsWith(jobId)));

    expect((await deadLetters()).find(({ subject }) => subject.endsWith(jobId))?.reason.code).toBe('no_such_job');
  });

  it('approves what waits, and only the head it names', async () => {
    const jobId = await system.submit({ ...request(), workflow: { ...DEFAULT_WORKFLOW, merge: 'manual' } });
    const waiting = await system.jobWhen(jobId, ({ status }) => status === 'WAITING_APPROVAL');
    await system.command({ type: 'ApproveJob', jobId, headCommit: 'a'.repeat(40) });
    const refused = await system.jobWhen(jobId, ({ commands }) => commands.length === 1);
    await system.command({ type: 'ApproveJob', jobId, headCommit: waiting.headCommit ?? '' });

    const job = await system.finished(jobId);

    expect(refused.commands[0]).toMatchObject({ accepted: false });
    expect(job.status).toBe('COMPLETED');
  });
});
