import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { down } from '../../../src/cli/daemons/down.ts';
import { observeAgents } from '../../../src/cli/daemons/heartbeats.ts';
import { up } from '../../../src/cli/daemons/up.ts';
import { resolveConnection } from '../../../src/shared/config/connection.ts';
import { homePaths } from '../../../src/shared/config/home.ts';
import { loadConfig } from '../../../src/shared/config/load.ts';
import { readRuntime } from '../../../src/shared/config/runtime.ts';
import { isAlive } from '../../../src/shared/lifecycle/process-state.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { embeddedServerPid } from '../../../src/shared/nats-server/embedded.ts';
import { createTestHome, type TestHome } from '../../support/pm2-home.ts';

jest.setTimeout(60_000);

const PROGRAM = fileURLToPath(new URL('fixtures/foreground.mjs', import.meta.url));
let test: TestHome;
let supervisor: ChildProcess;

beforeEach(async () => {
  test = await createTestHome();
  supervisor = spawn(process.execPath, ['--import', 'tsx', PROGRAM], { env: test.env, stdio: ['ignore', 'pipe', 'inherit'] });
  if (supervisor.stdout !== null) await once(supervisor.stdout, 'data');
});
afterEach(async () => {
  supervisor.kill('SIGKILL');
  await test.remove();
});

describe('up --foreground', () => {
  it('runs the set without PM2, and ends all of it on a signal', async () => {
    const agents = await agentPids();
    const nats = await embeddedServerPid(homePaths(test.home));

    supervisor.kill('SIGTERM');
    const [code] = (await once(supervisor, 'exit')) as [number];

    expect(code).toBe(0);
    expect(agents).toHaveLength(3);
    expect(await Promise.all([...agents, nats ?? 0].map(isAlive))).toEqual([false, false, false, false]);
    expect(await test.pm2Pid()).toBeUndefined();
    expect(await readRuntime(homePaths(test.home))).toBeUndefined();
  });

  it('starts again what was killed, the server among it', async () => {
    const [agent = 0] = await agentPids();
    const nats = (await embeddedServerPid(homePaths(test.home))) ?? 0;

    process.kill(agent, 'SIGKILL');
    process.kill(nats, 'SIGKILL');

    await until(async () => ![nats, undefined].includes(await embeddedServerPid(homePaths(test.home))));
    await until(async () => {
      const pids = await agentPids();
      return pids.length === 3 && !pids.includes(agent);
    });
  });

  it('has its agents end when it is killed itself', async () => {
    const agents = await agentPids();

    supervisor.kill('SIGKILL');

    for (const pid of agents) await until(async () => !(await isAlive(pid)));
  });

  it('is refused nothing twice: PM2 may not take the system as well', async () => {
    await expect(up({ config: loadConfig('cli', test.env), env: test.env })).rejects.toMatchObject({ code: 'already_running' });
  });

  it('is ended by down --drain once the running task is done', async () => {
    const busy = join(test.home, 'busy-coder-1');
    await writeFile(busy, '');
    let ended = false;

    const ending = down({ config: loadConfig('cli', test.env), env: test.env, drain: true }).then((ids) => {
      ended = true;
      return ids;
    });
    await until(async () => (await states()).every((state) => state === 'draining'));
    expect(ended).toBe(false);
    await rm(busy);

    expect((await ending).sort()).toEqual(['coder-1', 'nats', 'repo-manager-1', 'reviewer-1']);
    expect(await readFile(homePaths(test.home).runtimeFile, 'utf8').catch(() => 'gone')).toBe('gone');
  });
});

async function agentPids(): Promise<number[]> {
  return (await observed()).flatMap(({ alive, heartbeat }) => (alive && heartbeat ? heartbeat.pid : []));
}

async function states(): Promise<(string | undefined)[]> {
  return (await observed()).map(({ heartbeat }) => heartbeat?.state);
}

async function observed(): ReturnType<typeof observeAgents> {
  const nc = await connectNats({ ...(await resolveConnection({ config: loadConfig('cli', test.env), env: test.env })), name: 'test' });
  return observeAgents(nc).finally(() => nc.close());
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('waited 30 s for nothing');
    await delay(50);
  }
}
