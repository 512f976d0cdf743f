import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startNatsServer } from '../support/nats-server.ts';
import { createTestHome, type TestHome } from '../support/pm2-home.ts';
import { createRepository } from '../support/e2e/repository.ts';
import { cli } from '../support/e2e/cli.ts';
import { processesOf } from '../support/e2e/processes.ts';
import { ErrorShape, StatusShape } from '../support/e2e/shapes.ts';
import { removeHome } from '../support/e2e/system.ts';

jest.setTimeout(60_000);

const JOB = 'job-00000000000000000000000000';
/** What a command that is given up after 5 s may take in all, on a machine that is busy. */
const GIVEN_UP_MS = 15_000;
let home: TestHome;

beforeAll(async () => {
  home = await createTestHome();
  createRepository(join(home.folder, 'repository'));
});
afterAll(async () => {
  await removeHome(home);
});

describe('without a server', () => {
  it.each([
    [['list-jobs']],
    [['job-status', JOB]],
    [['show', JOB]],
    [['logs', JOB, '--follow']],
    [['stop-job', JOB]],
    [['topology']],
    [['dead', 'list']],
    [['gc']],
    [['submit-feature', '--repo', '~/repository', '--title', 'x', '--description', 'y', '--wait']],
  ])('%j exits 3 soon, and says what to start', async (args) => {
    const startedAt = performance.now();

    const result = await cli(home.env, ...args, '--json');

    expect([result.code, ErrorShape.parse(result.json()).error]).toEqual([
      3,
      { code: 'nats_unreachable', message: expect.stringContaining('multi-agent up') },
    ]);
    expect(performance.now() - startedAt).toBeLessThan(GIVEN_UP_MS);
  });

  it('status and health say that nothing can be reached', async () => {
    const [status, health] = await Promise.all([cli(home.env, 'status', '--json'), cli(home.env, 'health', '--json')]);

    expect([status.code, StatusShape.parse(status.json())]).toMatchObject([
      3,
      { healthy: false, nats: { connected: false, embedded: true }, agents: [] },
    ]);
    expect([health.code, health.json()]).toMatchObject([3, { status: 'unhealthy' }]);
  });

  it('down has nothing to end, and starts nothing', async () => {
    const result = await cli(home.env, 'down', '--json');

    expect([result.code, result.json()]).toEqual([0, { stopped: [] }]);
    expect(processesOf(home.folder)).toEqual([]);
  });
});

describe('with another server on the port', () => {
  it.each([[['up', '--json']], [['up', '--foreground', '--json']]])(
    '%j exits 3, names it and the two variables, and leaves it alone',
    async (args) => {
      const foreign = await startNatsServer();
      try {
        const result = await cli({ ...home.env, NATS_PORT: String(foreign.port) }, ...args);

        const { code, message } = ErrorShape.parse(result.json()).error;
        expect([result.code, code]).toEqual([3, 'foreign_server']);
        expect(message).toMatch(new RegExp(String(foreign.port)));
        expect(message).toMatch(/NATS_PORT[^]*NATS_URL|NATS_URL[^]*NATS_PORT/);
        expect(() => process.kill(foreign.pid(), 0)).not.toThrow();
        expect(processesOf(home.folder)).toEqual([]);
      } finally {
        await foreign.stop();
      }
    },
  );
});
