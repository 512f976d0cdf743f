import { describe, expect, it } from '@jest/globals';
import { pm2NameOf, specHash, toPm2App, type ProcessSpec } from '../../../../src/shared/pm2/app.ts';
import { scrubbedEnvironment } from '../../../../src/shared/pm2/client.ts';

const AGENT: ProcessSpec = {
  id: 'coder-1',
  script: '/dist/main.js',
  args: [],
  node: true,
  env: { AGENT_ID: 'coder-1' },
  errorFile: '/logs/coder-1.err.log',
  killTimeoutMs: 15_000,
  depends: 'a',
};

describe('toPm2App', () => {
  it('names an app for its home, so that two homes never meet', () => {
    expect(pm2NameOf('/a', 'coder-1')).toMatch(/^ma-[0-9a-f]{8}-coder-1$/);
    expect(pm2NameOf('/a', 'coder-1')).not.toBe(pm2NameOf('/b', 'coder-1'));
  });

  it('lets an agent drain: a long kill timeout, no signal to its children', () => {
    expect(toPm2App('/a', AGENT)).toMatchObject({
      kill_timeout: 15_000,
      treekill: false,
      wait_ready: true,
      exp_backoff_restart_delay: 100,
    });
  });

  it('restarts an agent killed by SIGKILL, which PM2 reports as exit code 0', () => {
    expect(toPm2App('/a', AGENT)).not.toHaveProperty('stop_exit_codes');
  });

  it('runs a binary without an interpreter, and waits for no message from it', () => {
    const app = toPm2App('/a', { ...AGENT, id: 'nats', node: false });

    expect(app).toMatchObject({ interpreter: 'none' });
    expect(app).not.toHaveProperty('wait_ready');
  });
});

describe('specHash', () => {
  it('changes with what the process depends on', () => {
    expect(specHash(AGENT)).toBe(specHash({ ...AGENT }));
    expect(specHash({ ...AGENT, depends: 'b' })).not.toBe(specHash(AGENT));
  });
});

describe('scrubbedEnvironment', () => {
  it('leaves out whatever PM2 does not need', () => {
    const env = { PATH: '/bin', HOME: '/home/ann', LANG: 'C', GITHUB_TOKEN: 'secret', NODE_OPTIONS: '--inspect' };

    const scrubbed = scrubbedEnvironment({ home: '/home/ann/.multi-agent', env });

    expect(Object.keys(scrubbed).sort()).toEqual(['HOME', 'LANG', 'MULTI_AGENT_HOME', 'PATH', 'PM2_CONCURRENT_ACTIONS', 'PM2_HOME']);
    expect(scrubbed['PM2_HOME']).toBe('/home/ann/.pm2');
  });
});
