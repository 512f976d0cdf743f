import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { ulid } from 'ulid';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { bundleName, openBundleStore } from '../../../src/shared/messaging/bundle-store.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { BUCKETS, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { taskIdOf } from '../../../src/shared/domain/ids.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';
import { refusalsIn } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';
import { type CapturedRun, runCaptured } from '../cli/captured-cli.ts';

jest.setTimeout(120_000);

/** Everybody with its own user and nothing else: what somebody needs and may not would show as a refusal, or as something that never comes. */
let system: InProcessSystem;
let repository: string;

beforeAll(async () => {
  system = await startSystem({
    coder: 'node {bin}/coder.mjs',
    reviewer: 'node {bin}/reviewer.mjs changes 1',
    coders: 2,
    refusalsExpected: true,
  });
  repository = await makeRepository();
});
afterAll(async () => {
  await system.stop();
  await rm(repository, { recursive: true, force: true });
});

describe('a system of which nobody may do more than it has to', () => {
  it('brings jobs to their end over several rounds and conflicts', async () => {
    const submitted = await Promise.all([1, 2, 3].map((n) => submit({ rounds: { 1: { files: { 'list.txt': `job ${String(n)}\n` } } } })));

    const ended = await Promise.all(submitted.map((id) => cli('job-status', id, '--watch')));

    const jobs = ended.map(({ jsonLines }) => jsonLines.at(-1));
    expect(jobs).toMatchObject(submitted.map((id) => ({ id, status: 'COMPLETED' })));
    expect(Math.min(...jobs.map((job) => Number(job?.['round'])))).toBeGreaterThanOrEqual(2);
    const records = await Promise.all(submitted.map((id) => system.job(id)));
    expect(records.reduce((sum, job) => sum + (job?.conflictRounds ?? 0), 0)).toBeGreaterThan(0);
    expect(git(repository, 'show', 'main:list.txt').split('\n').sort()).toEqual(['job 1', 'job 2', 'job 3']);
  });

  it('stops what runs, does again what failed, and merges what a person approves', async () => {
    const gate = join(repository, '..', `${ulid()}.gate`);
    const [stopped, failing, manual] = [await submit({ waitFor: gate }), await submit({ exit: 1 }), await submit({}, '--merge', 'manual')];
    await system.jobWhen(stopped, ({ task }) => task?.attempt !== undefined);

    const stop = await cli('stop-job', stopped);
    await system.jobWhen(failing, ({ status }) => status === 'FAILED');
    const retry = await cli('retry', failing);
    await system.jobWhen(manual, ({ status }) => status === 'WAITING_APPROVAL');
    const reject = await cli('reject', manual, '--comment', 'once more');
    const { headCommit = '' } = await system.jobWhen(manual, ({ status, round }) => status === 'WAITING_APPROVAL' && round > 2);
    const approve = await cli('approve', manual, '--head', headCommit);

    expect([stop, retry, reject, approve].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    await expect(system.finished(stopped)).resolves.toMatchObject({ status: 'CANCELLED' });
    await system.jobWhen(failing, ({ status, lastTask }) => status === 'FAILED' && (lastTask?.dispatch ?? 0) > 1);
    await expect(system.finished(manual)).resolves.toMatchObject({ status: 'COMPLETED' });
  });

  it('fills a cache that lacks something, and hands a task over from one coder to the next', async () => {
    await rm(join(system.home, 'repositories'), { recursive: true });
    const gate = join(repository, '..', `${ulid()}.gate`);
    const jobId = await submit({ waitFor: gate, half: true });
    await system.jobWhen(jobId, ({ task }) => task?.attempt !== undefined);

    for (const agent of system.agents.splice(0, 2)) await agent.stop(AbortSignal.timeout(100));
    system.agents.push(await system.startCoder(3));
    await writeFile(gate, '');

    await expect(system.finished(jobId, 60_000)).resolves.toMatchObject({ status: 'COMPLETED' });
    await rm(gate);
  });

  it('sweeps up what was left behind', async () => {
    const jsm = await jetstreamManager(system.nc, { checkAPI: false });
    const jobId = await submit({});
    await system.finished(jobId);
    const left = taskIdOf(jobId, 'coder', 9);
    const store = await openBundleStore(system.nc, 'coder-2');
    await store.put(bundleName('app', left, 1, 'wip'), Buffer.from('left'), Buffer.alloc(32), '0'.repeat(40));
    const coder = await connectNats({ ...system.nats.as('coder-2'), name: 'coder-2' });
    coder.publish(subjects.input('coder', jobId), 'no report');
    await coder.flush();

    const isSwept = async (): Promise<boolean> => {
      const counts = [STREAMS.inputs, STREAMS.tasks, `KV_${BUCKETS.open}`, `KV_${BUCKETS.claims}`, `OBJ_${BUCKETS.bundles}`].map(
        async (stream) => (await jsm.streams.info(stream)).state.messages,
      );
      return (await Promise.all(counts)).every((count) => count === 0);
    };

    await until('everything is swept up', isSwept, 20_000);
    await coder.close();
  });

  it('shows a person all there is to see', async () => {
    const jobId = await submit({});
    await system.finished(jobId);
    const letters = (await cli('dead', 'list')).json['letters'] as { seq: number }[];
    const seq = String(letters[0]?.seq);

    const seen = [
      await cli('list-jobs'),
      await cli('list-jobs', '--needs-me'),
      await cli('job-status', jobId),
      await cli('show', jobId),
      await cli('logs', jobId),
      await cli('logs', jobId, '--follow'),
      await cli('topology'),
      await cli('status'),
      await cli('gc'),
      await cli('dead', 'retry', seq),
      await cli('topology', '--apply'),
    ];
    await until('it is a letter again', async () => ((await cli('dead', 'list')).json['letters'] as unknown[]).length === letters.length);
    const again = (await cli('dead', 'list')).json['letters'] as { seq: number }[];
    const dropped = await cli('dead', 'drop', String(again[0]?.seq));

    expect([...seen, dropped].map(({ exitCode, stdout }) => (exitCode === 0 ? 0 : stdout))).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('has met no refusal in all this', async () => {
    expect(await refusalsIn(system.nats.log)).toEqual([]);
  });

  it('would have been told of one', async () => {
    const nc = await connectNats({ ...system.nats.as('coder-4'), name: 'coder-4' });
    nc.publish(subjects.task('coder', 'high'), 'forged');
    await nc.flush();
    await nc.close();

    await until('the server says so', async () => (await refusalsIn(system.nats.log)).length === 1);
  });
});

/** As the operator, who has a seed of its own. */
function cli(...args: readonly string[]): Promise<CapturedRun> {
  const { url, nkeyFile } = system.nats.as('operator');
  const home = join(system.home, 'of-the-operator');
  return runCaptured([...args, '--json'], { env: { MULTI_AGENT_HOME: home, NATS_URL: url, NATS_NKEY_FILE: nkeyFile } });
}

async function submit(script: object, ...flags: readonly string[]): Promise<string> {
  const request = ['--repo', repository, '--title', 'A feature', '--description', JSON.stringify(script), '--key', ulid()];
  let { json, exitCode } = await cli('submit-feature', ...request, ...flags);
  // On a machine that does much else, an answer may take longer than a command waits; with its key the request is the same.
  for (let tries = 1; exitCode === 3 && tries < 4; tries++) ({ json, exitCode } = await cli('submit-feature', ...request, ...flags));
  if (exitCode !== 0) throw new Error(JSON.stringify(json));
  return String(json['id']);
}
