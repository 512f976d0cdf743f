import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { pm2, type TestHome } from '../support/pm2-home.ts';
import { environmentOf, processesOf } from '../support/e2e/processes.ts';
import { writes } from '../support/e2e/script.ts';
import { StatusShape, UpShape } from '../support/e2e/shapes.ts';
import { createStage, type Stage } from '../support/e2e/stage.ts';
import { createScriptedHome, removeHome } from '../support/e2e/system.ts';

// The daemons under PM2, as `up` starts them. The tests go on from each other.
const START_MS = 90_000;
jest.setTimeout(120_000);

const AGENTS = ['coder-1', 'repo-manager-1', 'reviewer-1'];
const canary = `canary-${randomBytes(12).toString('hex')}`;
const forgeCanary = `canary-${randomBytes(12).toString('hex')}`;
let home: TestHome;
let stage: Stage;

beforeAll(async () => {
  home = await createScriptedHome({ A_STRANGER: canary, GITHUB_TOKEN: forgeCanary });
  stage = createStage(home.env, join(home.folder, 'stage'));
}, START_MS);

afterAll(async () => {
  await removeHome(home);
}, START_MS);

describe('up under PM2', () => {
  it('starts what is missing, and does the work', async () => {
    const up = await stage.cli('up', '--json');
    const { code, job } = await stage.run({ coder: [{ steps: [writes('done.txt')] }] });

    const { agents, started, nats } = UpShape.parse(up.json());
    expect([up.code, [...agents].sort(), [...started].sort()]).toEqual([0, AGENTS, ['coder-1', 'nats', 'repo-manager-1', 'reviewer-1']]);
    expect(nats).toEqual({ url: `nats://127.0.0.1:${String(home.port)}`, embedded: true });
    expect([code, job.status]).toEqual([0, 'COMPLETED']);
  });

  it('leaves everything as it is the second time', async () => {
    const before = StatusShape.parse((await stage.cli('status', '--json')).json());

    const up = await stage.cli('up', '--json');

    const after = StatusShape.parse((await stage.cli('status', '--json')).json());
    expect([up.code, up.json()]).toMatchObject([0, { started: [], stopped: [] }]);
    expect(after.agents.map(({ id, pid }) => ({ id, pid }))).toEqual(before.agents.map(({ id, pid }) => ({ id, pid })));
    expect(after.nats.pid).toBe(before.nats.pid);
  });

  it('has nothing of the environment of up in agents, in PM2, its list or its dump', async () => {
    await pm2(['save'], { PATH: home.env['PATH'] ?? '', HOME: home.folder, PM2_HOME: home.env['PM2_HOME'] ?? '' });
    const list = await pm2(['jlist'], { PATH: home.env['PATH'] ?? '', HOME: home.folder, PM2_HOME: home.env['PM2_HOME'] ?? '' });

    const everything = [list, ...processesOf(home.folder).map(environmentOf), ...filesIn(home.env['PM2_HOME'] ?? '')].join('\n');

    expect(everything).toContain('coder-1');
    expect(filesIn(home.env['PM2_HOME'] ?? '').join('\n')).toContain('MULTI_AGENT_HOME');
    expect(everything).not.toContain(canary);
    expect(everything).not.toContain(forgeCanary);
  });

  it('starts every agent anew on restart, and not the server', async () => {
    const before = StatusShape.parse((await stage.cli('status', '--json')).json());

    const restart = await stage.cli('restart', '--json');

    const after = StatusShape.parse((await stage.cli('status', '--json')).json());
    expect([restart.code, [...UpShape.parse(restart.json()).started].sort()]).toEqual([0, AGENTS]);
    expect(after.healthy).toBe(true);
    const old = new Set(before.agents.map(({ pid }) => pid));
    expect(after.agents.filter(({ pid }) => old.has(pid))).toEqual([]);
    expect(after.nats.pid).toBe(before.nats.pid);
  });

  it('ends the task in hand on down, hands it back, and leaves no process; it goes on at the next up', async () => {
    const go = stage.gate('go');
    const { id } = await stage.submit({
      coder: [{ when: { attempt: 1 }, steps: [writes('begun.txt'), { waitFor: go.path }] }, { steps: [writes('ended.txt')] }],
    });
    await stage.when(id, ({ phase, attempt }) => phase === 'implementing' && attempt === 1);

    const down = await stage.cli('down', '--json');
    const pm2Pid = await home.pm2Pid();
    const left = processesOf(home.home).filter((pid) => pid !== pm2Pid);
    const again = await stage.cli('down', '--json');
    const up = await stage.cli('up', '--json');
    const job = await stage.ended(id);

    expect([down.code, [...(down.json() as { stopped: string[] }).stopped].sort()]).toEqual([
      0,
      ['coder-1', 'nats', 'repo-manager-1', 'reviewer-1'],
    ]);
    expect(left).toEqual([]);
    expect([again.code, again.json()]).toEqual([0, { stopped: [] }]);
    expect(up.code).toBe(0);
    expect(job.status).toBe('COMPLETED');
    // What the first attempt had done was handed to the second.
    expect([stage.repository.fileOn('main', 'begun.txt'), stage.repository.fileOn('main', 'ended.txt')]).toEqual([
      'begun.txt',
      'ended.txt',
    ]);
  });
});

function filesIn(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).map((path) => {
    try {
      return readFileSync(join(folder, path), 'utf8');
    } catch {
      return '';
    }
  });
}
