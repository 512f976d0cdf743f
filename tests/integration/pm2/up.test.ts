import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { down } from '../../../src/cli/daemons/down.ts';
import type { UpOptions } from '../../../src/cli/daemons/prepare.ts';
import { readStatus, type SystemStatus } from '../../../src/cli/daemons/status.ts';
import { up, type UpOutcome } from '../../../src/cli/daemons/up.ts';
import { resolveConnection } from '../../../src/shared/config/connection.ts';
import { homePaths } from '../../../src/shared/config/home.ts';
import { loadConfig, type Environment } from '../../../src/shared/config/load.ts';
import { readRuntime } from '../../../src/shared/config/runtime.ts';
import { isAlive } from '../../../src/shared/lifecycle/process-state.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { embeddedServerPid } from '../../../src/shared/nats-server/embedded.ts';
import { createPm2 } from '../../../src/shared/pm2/client.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import { createTestHome, pm2, type TestHome } from '../../support/pm2-home.ts';

const DAEMON = fileURLToPath(new URL('fixtures/daemon.mjs', import.meta.url));
const CANARIES = { CANARY: 'canary-of-the-shell', GITHUB_TOKEN: 'canary-of-the-forge', ANTHROPIC_API_KEY: 'canary-of-the-model' };
let test: TestHome;
let extras: (() => Promise<void>)[] = [];

// Most of these start PM2 and several processes, on a machine that may be busy.
jest.setTimeout(60_000);

beforeAll(async () => {
  test = await createTestHome(CANARIES);
});
afterEach(async () => {
  for (const remove of extras.reverse()) await remove();
  extras = [];
});
afterAll(async () => {
  await test.remove();
});

describe('up', () => {
  it('returns when every agent beats, on a server that demands a credential', async () => {
    const outcome = await bringUp();

    expect(outcome.started).toEqual(['nats', 'repo-manager-1', 'coder-1', 'reviewer-1']);
    const status = await statusNow();
    expect(status.healthy).toBe(true);
    expect(status.agents.map(({ id }) => id)).toEqual(['coder-1', 'repo-manager-1', 'reviewer-1']);
    expect(status.nats).toMatchObject({ connected: true, embedded: true, pid: await embeddedServerPid(homePaths(test.home)) });
    await expect(connectNats({ url: status.nats.url, name: 'stranger' })).rejects.toMatchObject({ code: 'nats_refused' });
  });

  it('lets no role see what is not for it: not in processes, not in what PM2 lists or dumps', async () => {
    await pm2(['save'], test.env);

    const seen = [await pm2(['jlist'], test.env), ...(await textsUnder(join(test.folder, 'pm2')))].join('\n');
    for (const canary of Object.values(CANARIES)) expect(seen).not.toContain(canary);
    const environments = await environmentsOf((await createPm2({ home: test.home, env: test.env }).list()).flatMap(({ pid }) => pid ?? []));
    expect(environments).toHaveLength(4);
    for (const canary of Object.values(CANARIES)) expect(environments.join('\n')).not.toContain(canary);
    expect(await filesWith(CANARIES.GITHUB_TOKEN)).toEqual(['repo-manager.env']);
    expect(await filesWith(CANARIES.ANTHROPIC_API_KEY)).toEqual(['coder.env', 'reviewer.env']);
    expect(await filesWith(CANARIES.CANARY)).toEqual([]);
  });

  it('again leaves alone what runs', async () => {
    const before = await pids();

    const outcome = await bringUp();

    expect(outcome).toMatchObject({ started: [], stopped: [] });
    expect(await pids()).toEqual(before);
  });

  it('starts and stops only what the counts change', async () => {
    const before = await pids();

    const more = await bringUp({ coders: 2 });
    const kept = await bringUp();
    const fewer = await bringUp({ coders: 1 });

    expect([more.started, kept.started, fewer.stopped]).toEqual([['coder-2'], [], ['coder-2']]);
    expect(await pids()).toEqual(before);
    expect((await statusNow()).healthy).toBe(true);
  });

  it('gives every agent a seed of its own, that only its owner can read, and says which in no role file', async () => {
    const { run, roleFile } = homePaths(test.home);
    const seeds = (await readdir(run)).filter((name) => name.endsWith('.nk')).sort();

    expect(seeds).toEqual(['coder-1.nk', 'coder-2.nk', 'operator.nk', 'provisioner.nk', 'repo-manager-1.nk', 'reviewer-1.nk']);
    for (const name of seeds) expect((await stat(join(run, name))).mode & 0o777).toBe(0o600);
    expect(new Set(await Promise.all(seeds.map((name) => readFile(join(run, name), 'utf8')))).size).toBe(seeds.length);
    expect(await readFile(roleFile('coder'), 'utf8')).not.toContain('NATS_NKEY');
  });

  it('restarts only the role whose variables changed', async () => {
    const outcome = await bringUp({}, { CODER_COMMAND: './code' });

    expect(outcome.started).toEqual(['coder-1']);
    expect(await readFile(homePaths(test.home).roleFile('coder'), 'utf8')).toContain('CODER_COMMAND="./code"');
  });

  it('replaces an agent that PM2 calls online but that says nothing', async () => {
    const pid = Number((await pids())['reviewer-1']);
    process.kill(pid, 'SIGSTOP');

    const silent = await statusNow();
    process.kill(pid, 'SIGCONT');
    process.kill(pid, 'SIGUSR2');
    await until(async () => (await statusNow()).agents.some(({ state }) => state === 'draining'));
    const outcome = await bringUp({}, { CODER_COMMAND: './code' });

    expect(silent).toMatchObject({ healthy: false });
    expect(silent.agents.find(({ id }) => id === 'reviewer-1')?.healthy).toBe(false);
    expect(outcome.started).toEqual(['reviewer-1']);
  });

  it('has an agent that was killed started again', async () => {
    const pid = Number((await pids())['coder-1']);

    process.kill(pid, 'SIGKILL');

    await until(async () => ![undefined, pid].includes((await pids())['coder-1']));
    await until(async () => (await statusNow()).healthy);
  });

  it('repairs what the death of PM2 left behind, the orphaned server among it', async () => {
    const orphan = await embeddedServerPid(homePaths(test.home));
    process.kill((await test.pm2Pid()) ?? 0, 'SIGKILL');
    await until(async () => (await test.pm2Pid()) === undefined);
    expect(await embeddedServerPid(homePaths(test.home))).toBe(orphan);

    const outcome = await bringUp();

    expect(outcome.started).toEqual(['nats', 'repo-manager-1', 'coder-1', 'reviewer-1']);
    expect(await isAlive(orphan ?? 0)).toBe(false);
    expect((await statusNow()).healthy).toBe(true);
  });

  it('of another home refuses to share the port, and starts nothing', async () => {
    const other = await createTestHome({ NATS_PORT: String(test.port) });
    extras.push(() => other.remove());

    const refused = up(optionsFor(other));

    await expect(refused).rejects.toMatchObject({ code: 'foreign_server' });
    await expect(refused).rejects.toThrow(/NATS_PORT.*NATS_URL/);
    expect(await other.pm2Pid()).toBeUndefined();
  });

  it('uses the server that NATS_URL names, and starts none', async () => {
    const server = await startNatsServer({ credential: true });
    extras.push(() => server.stop());
    const other = await createTestHome({ NATS_URL: server.url, NATS_NKEY_FILE: server.nkeyFile ?? '' });
    extras.push(() => other.remove());

    const outcome = await up(optionsFor(other));

    expect(outcome.started).toEqual(['repo-manager-1', 'coder-1', 'reviewer-1']);
    expect(await embeddedServerPid(homePaths(other.home))).toBeUndefined();
    await down(optionsFor(other));
    expect(await isAlive(server.pid())).toBe(true);
  });
});

describe('down', () => {
  it('with --drain waits for the running task', async () => {
    const busy = join(test.home, 'busy-coder-1');
    await writeFile(busy, '');
    await until(async () => (await statusNow()).agents.some(({ currentTask }) => currentTask !== undefined));
    const said: string[] = [];
    let ended = false;

    const draining = down({ ...optionsFor(test), drain: true, log: (message) => void said.push(message) }).then(() => (ended = true));
    await until(async () => said.some((line) => /^waiting for coder-1 \(job-\S+\)$/.test(line)));
    expect(ended).toBe(false);
    await rm(busy);
    await draining;

    expect(await pids()).toEqual({});
    expect(await readRuntime(homePaths(test.home))).toBeUndefined();
  });

  it('ends all of ours and nothing of anybody else', async () => {
    await bringUp();
    const ours = Object.values(await pids());
    await pm2(['start', DAEMON, '--name', 'somebody-elses', '--interpreter', '/bin/sleep', '--', '1000'], test.env).catch(() => undefined);
    const daemon = await test.pm2Pid();

    const stopped = await down(optionsFor(test));

    expect(stopped.sort()).toEqual(['coder-1', 'nats', 'repo-manager-1', 'reviewer-1']);
    expect(await Promise.all(ours.map((pid) => isAlive(pid)))).toEqual([false, false, false, false]);
    expect(await test.pm2Pid()).toBe(daemon);
    expect(await pm2(['jlist'], test.env)).toContain('somebody-elses');
  });

  it('again finds nothing to do', async () => {
    expect(await down(optionsFor(test))).toEqual([]);
  });

  it('ends a server that nobody looks after any more', async () => {
    await bringUp();
    process.kill((await test.pm2Pid()) ?? 0, 'SIGKILL');
    await until(async () => (await test.pm2Pid()) === undefined);

    const stopped = await down(optionsFor(test));

    expect(stopped).toEqual(['nats']);
    expect(await embeddedServerPid(homePaths(test.home))).toBeUndefined();
  });
});

describe('status', () => {
  it('says so, and what to do, when nothing runs', async () => {
    const status = await statusNow();

    expect(status).toMatchObject({ healthy: false, nats: { connected: false }, agents: [], error: { code: 'nats_unreachable' } });
    expect(status.error?.message).toContain('multi-agent up');
  });
});

function optionsFor({ env }: { env: Environment }, extra: Environment = {}): UpOptions {
  const all = { ...env, ...extra };
  return { config: loadConfig('cli', all), env: all, entryPoint: () => DAEMON };
}

function bringUp(options: Partial<UpOptions> = {}, extra: Environment = {}): Promise<UpOutcome> {
  return up({ ...optionsFor(test, extra), ...options });
}

async function statusNow(): Promise<SystemStatus> {
  const { config, env } = optionsFor(test);
  const connection = await resolveConnection({ config, env });
  const closers: (() => Promise<void>)[] = [];
  const connect = async (): ReturnType<typeof connectNats> => {
    const nc = await connectNats({ ...connection, name: 'test' });
    closers.push(() => nc.close());
    return nc;
  };
  return readStatus({ home: test.home, connection, connect }).finally(() => Promise.all(closers.map((close) => close())));
}

async function pids(): Promise<Record<string, number>> {
  const running = await createPm2({ home: test.home, env: test.env }).list();
  return Object.fromEntries(running.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name.replace(/^ma-[0-9a-f]{8}-/, ''), pid]])));
}

async function environmentsOf(processes: readonly number[]): Promise<string[]> {
  return Promise.all(processes.map((pid) => readFile(`/proc/${String(pid)}/environ`, 'utf8')));
}

async function filesWith(text: string): Promise<string[]> {
  const { run } = homePaths(test.home);
  const names = await readdir(run);
  const found = await Promise.all(names.map(async (name) => ((await readFile(join(run, name), 'utf8')).includes(text) ? name : [])));
  return found.flat().sort();
}

async function textsUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('waited 30 s for nothing');
    await delay(50);
  }
}
