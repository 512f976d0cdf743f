import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadDaemonConfig, roleEnvironment, writeRoleFile } from '../../../../src/shared/config/role-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ma-role-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('roleEnvironment', () => {
  it('holds what the role may see and is set, and nothing else', () => {
    const env = { GITHUB_TOKEN: 'g', ANTHROPIC_API_KEY: 'a', CODER_COMMAND: 'c', PATH: '/bin', CANARY: 'x' };

    expect(roleEnvironment('coder', env)).toEqual({ CODER_COMMAND: 'c', ANTHROPIC_API_KEY: 'a' });
    expect(roleEnvironment('repo-manager', env)).toEqual({ GITHUB_TOKEN: 'g' });
  });

  it('puts the overrides first', () => {
    expect(roleEnvironment('coder', { NATS_URL: 'nats://old:1' }, { NATS_URL: 'nats://new:2' })).toEqual({ NATS_URL: 'nats://new:2' });
  });
});

describe('a role file', () => {
  it('is readable by its owner only', async () => {
    await writeRoleFile(join(folder, 'coder.env'), { CODER_COMMAND: 'x' });

    expect((await stat(join(folder, 'coder.env'))).mode & 0o777).toBe(0o600);
  });

  it('says whether its content changed', async () => {
    const write = (command: string): Promise<boolean> => writeRoleFile(join(folder, 'coder.env'), { CODER_COMMAND: command });

    expect([await write('a'), await write('a'), await write('b')]).toEqual([true, false, true]);
  });

  it('gives a daemon its variables back, whatever is in them', async () => {
    const command = `sh -c 'echo "$X" = \\ #1'\nsecond line`;
    await writeRoleFile(join(folder, 'coder.env'), { CODER_COMMAND: command, NATS_URL: 'nats://file:1' });

    const config = await loadDaemonConfig('coder', {
      AGENT_ID: 'coder-1',
      MULTI_AGENT_ROLE_FILE: join(folder, 'coder.env'),
      NATS_URL: 'nats://env:1',
    });

    expect(config).toMatchObject({ coderCommand: command, natsUrl: 'nats://file:1', agentId: 'coder-1' });
  });

  it('tells a daemon which of its values are secret', async () => {
    await writeRoleFile(join(folder, 'coder.env'), { ANTHROPIC_API_KEY: 'key-of-ann' });

    const config = await loadDaemonConfig('coder', { MULTI_AGENT_ROLE_FILE: join(folder, 'coder.env') });

    expect(config.secrets).toEqual(['key-of-ann']);
  });

  it('that is missing or broken is a fault that names it', async () => {
    const path = join(folder, 'coder.env');
    const load = (): Promise<unknown> => loadDaemonConfig('coder', { MULTI_AGENT_ROLE_FILE: path });

    await expect(load()).rejects.toThrow(path);
    await writeFile(path, 'CODER_COMMAND=no quotes');
    await expect(load()).rejects.toThrow(path);
  });

  it('is not needed by a daemon that is started by hand', async () => {
    expect((await loadDaemonConfig('coder', { CODER_COMMAND: './code' })).coderCommand).toBe('./code');
  });
});
