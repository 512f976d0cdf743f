import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import type { TestHome } from '../support/pm2-home.ts';
import { cli } from '../support/e2e/cli.ts';
import { eventually } from '../support/e2e/processes.ts';
import { writes } from '../support/e2e/script.ts';
import { ErrorShape, type JobJson, JobShape, StatusShape } from '../support/e2e/shapes.ts';
import { createStage, type Stage } from '../support/e2e/stage.ts';
import { createScriptedHome, removeHome, startSystem, type TestSystem } from '../support/e2e/system.ts';

// A NATS server of one's own, and daemons that come later: what waits in the queues, and in which order it is taken. The tests go on from
// each other.
const START_MS = 90_000;
jest.setTimeout(180_000);

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
let nats: TestNatsServer | undefined;
let home: TestHome | undefined;
let system: TestSystem | undefined;
let stage: Stage;
let ten: JobJson[];
let stopped: JobJson;

beforeAll(async () => {
  nats = await startNatsServer();
  home = await createScriptedHome({ NATS_URL: nats.url });
  stage = createStage(home.env, join(home.folder, 'stage'));
}, START_MS);

afterAll(async () => {
  await system?.stop();
  if (home) await removeHome(home);
  await nats?.stop();
}, START_MS);

describe('with only NATS up', () => {
  it('says what to do while the server knows nothing of us', async () => {
    const result = await stage.cli(...stage.submission({}));

    expect([result.code, ErrorShape.parse(result.json()).error]).toEqual([
      3,
      { code: 'not_provisioned', message: expect.stringContaining('multi-agent topology --apply') },
    ]);
  });

  it('sets up what is missing, and sees that nothing is', async () => {
    const before = await stage.cli('topology', '--json');
    const apply = await stage.cli('topology', '--apply', '--json');
    const after = await stage.cli('topology', '--json');

    expect([before.code, apply.code, after.code]).toEqual([1, 0, 0]);
    expect(before.json()).toMatchObject({ matches: false, applied: false });
    expect(apply.json()).toEqual({ matches: true, applied: true, differences: [] });
  });

  it('stores jobs, which wait', async () => {
    const all = [...NUMBERS, 11].map((number) =>
      stage.submit({ coder: [{ steps: [writes(`${String(number)}.txt`)] }] }, '--key', String(number)),
    );
    ten = await Promise.all(all);
    stopped = required(ten.pop());

    const list = (await stage.cli('list-jobs', '--json')).json() as { jobs: JobJson[] };

    expect(ten.map(({ status, phase, round }) => ({ status, phase, round }))).toEqual(
      NUMBERS.map(() => ({ status: 'PENDING', phase: 'queued', round: 0 })),
    );
    expect(list.jobs).toHaveLength(11);
  });

  it('stores a stop, says so and exits 3', async () => {
    const stop = await stage.cli('stop-job', stopped.id, '--json');

    const { code, message, details } = ErrorShape.parse(stop.json()).error;
    expect([stop.code, code, details?.['stored']]).toEqual([3, 'no_repo_manager', true]);
    expect(message).toContain('multi-agent up');
    expect(JobShape.parse((await stage.cli('job-status', stopped.id, '--json')).json()).status).toBe('PENDING');
  });

  it('tells that no agent is there', async () => {
    const [status, health] = await Promise.all([stage.cli('status', '--json'), stage.cli('health', '--json')]);

    expect([status.code, StatusShape.parse(status.json())]).toMatchObject([
      3,
      { healthy: false, nats: { connected: true, embedded: false }, agents: [] },
    ]);
    expect([health.code, health.json()]).toMatchObject([1, { status: 'unhealthy' }]);
  });
});

describe('once the daemons come', () => {
  beforeAll(async () => {
    system = await startSystem(required(home), { coders: 2, reviewers: 1 });
  }, START_MS);

  it('does what was submitted before, each task once, shared by two coders', async () => {
    const jobs: JobJson[] = [];
    for (const { id } of ten) jobs.push(await stage.ended(id));

    const runs = stage.runs();
    expect(jobs.map(({ status, error }) => ({ status, error }))).toEqual(NUMBERS.map(() => ({ status: 'COMPLETED', error: undefined })));
    expect(runs.map(({ taskId }) => taskId).sort()).toEqual(ten.flatMap(({ id }) => [`${id}.implement.1`, `${id}.review.1`]).sort());
    expect(new Set(runs.filter(({ role }) => role === 'coder').map(({ env }) => env['MULTI_AGENT_RUN']?.split(':')[0]))).toEqual(
      new Set(['coder-1', 'coder-2']),
    );
    expect(stage.repository.firstParents()).toHaveLength(11);
    const { agents } = StatusShape.parse((await stage.cli('status', '--json')).json());
    const counted = (role: string): number =>
      agents.filter((agent) => agent.role === role).reduce((sum, agent) => sum + agent.tasksProcessed, 0);
    expect([counted('coder'), counted('reviewer')]).toEqual([10, 10]);
  });

  it('stops what was to be stopped, before anybody worked on it', async () => {
    const job = await stage.ended(stopped.id);

    expect(job.status).toBe('CANCELLED');
    expect(stage.runs(job.id)).toEqual([]);
  });

  it('has an urgent job overtake low ones, and stops one that is still in its queue', async () => {
    const [first, second] = [stage.gate('first'), stage.gate('second')];
    const blocking = await Promise.all(
      [first, second].map((gate) => stage.submit({ coder: [{ steps: [{ waitFor: gate.path }, writes(gate.path.slice(-6))] }] })),
    );
    await eventually('both coders at work', () => blocking.every(({ id }) => stage.runs(id).length === 1));
    const submit = (name: string, priority: string): Promise<JobJson> =>
      stage.submit({ coder: [{ steps: [writes(name)] }] }, '--priority', priority);
    const low = await submit('low.txt', 'low');
    const queued = await submit('queued.txt', 'low');
    await stage.when(queued.id, ({ updatedAt, branch }) => branch === 'main' && updatedAt !== '');
    const urgent = await submit('urgent.txt', 'urgent');
    await stage.when(urgent.id, ({ branch }) => branch === 'main');

    const stop = await stage.cli('stop-job', queued.id, '--json');
    first.open();
    const jobs = await Promise.all([low.id, urgent.id].map((id) => stage.ended(id)));
    second.open();
    const blockers = await Promise.all(blocking.map(({ id }) => stage.ended(id)));

    const order = stage
      .runs()
      .filter(({ role }) => role === 'coder')
      .map(({ jobId }) => jobId)
      .slice(-2);
    expect([...jobs, ...blockers].map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'COMPLETED'));
    expect(order).toEqual([urgent.id, low.id]);
    expect([stop.code, JobShape.parse(stop.json()).status]).toEqual([0, 'CANCELLED']);
    expect(stage.runs(queued.id)).toEqual([]);
  });

  it('ends with its daemons, and leaves the server that is not its own', async () => {
    const code = await system?.stop();
    const result = await cli(stage.env, 'list-jobs', '--status', 'COMPLETED', '--limit', '100', '--json');

    expect(code).toBe(0);
    expect((result.json() as { jobs: JobJson[] }).jobs).toHaveLength(14);
  });
});

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('what an earlier step should have made is not there');
  return value;
}
