import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resolveConnection, type Connection } from '../../../../src/shared/config/connection.ts';
import { ensureHome, homePaths } from '../../../../src/shared/config/home.ts';
import { loadConfig, type Environment } from '../../../../src/shared/config/load.ts';
import { readRuntime, writeRuntime } from '../../../../src/shared/config/runtime.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ma-home-'));
  await ensureHome(home);
});
afterEach(async () => {
  await rm(home, { recursive: true });
});

describe('resolveConnection', () => {
  it('takes the flag before everything', async () => {
    await runtimeSays('nats://127.0.0.1:5000');

    const connection = await resolve({ NATS_URL: 'nats://b:2' }, 'nats://a:1');

    expect(connection).toEqual({ url: 'nats://a:1', source: 'flag', embedded: false });
  });

  it('takes the environment before what up left', async () => {
    await runtimeSays('nats://127.0.0.1:5000');

    expect(await resolve({ NATS_URL: 'nats://b:2' })).toMatchObject({ url: 'nats://b:2', source: 'environment' });
    expect(await resolve({ NATS_PORT: '6000' })).toMatchObject({ url: 'nats://127.0.0.1:6000', source: 'environment' });
  });

  it('takes what up left before the default, with its credential', async () => {
    await runtimeSays('nats://127.0.0.1:5000');

    expect(await resolve({})).toEqual({ url: 'nats://127.0.0.1:5000', source: 'runtime', embedded: true, nkeyFile: '/seed' });
  });

  it('lends the credential that up left only to the same server', async () => {
    await runtimeSays('nats://127.0.0.1:5000');

    expect(await resolve({}, 'nats://127.0.0.1:5000')).toMatchObject({ nkeyFile: '/seed' });
    expect(await resolve({}, 'nats://elsewhere:5000')).not.toHaveProperty('nkeyFile');
  });

  it('takes a credential of the environment instead of the one that up left', async () => {
    await runtimeSays('nats://127.0.0.1:5000');

    const connection = await resolve({ NATS_CREDS: '/my.creds' });

    expect(connection.credsFile).toBe('/my.creds');
    expect(connection).not.toHaveProperty('nkeyFile');
  });

  it('looks on the default port with the seed of the home when nothing says otherwise', async () => {
    await writeFile(homePaths(home).natsSeed, 'SU...');

    expect(await resolve({})).toEqual({
      url: 'nats://127.0.0.1:4222',
      source: 'default',
      embedded: true,
      nkeyFile: homePaths(home).natsSeed,
    });
  });

  it('passes TLS files on', async () => {
    expect((await resolve({ NATS_URL: 'tls://a:1', NATS_CA_FILE: '/ca.pem' })).tls).toEqual({ caFile: '/ca.pem' });
  });
});

describe('readRuntime', () => {
  it('takes a broken file as none', async () => {
    await writeFile(homePaths(home).runtimeFile, '{"url": 3');

    expect(await readRuntime(homePaths(home))).toBeUndefined();
  });
});

async function resolve(env: Environment, flag?: string): Promise<Connection> {
  const all = { ...env, MULTI_AGENT_HOME: home };
  return resolveConnection({ config: loadConfig('cli', all), env: all, flag });
}

async function runtimeSays(url: string): Promise<void> {
  await writeRuntime(homePaths(home), {
    url,
    embedded: true,
    nkeyFile: '/seed',
    supervisor: 'pm2',
    agents: ['coder-1'],
    names: {},
    pids: {},
  });
}
