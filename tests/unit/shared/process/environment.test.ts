import { describe, expect, it } from '@jest/globals';
import { buildEnvironment, environmentToGive } from '../../../../src/shared/process/environment.ts';

describe('what daemons have to give', () => {
  it('is the base list and what the operator lets through, never the rest of their own environment', () => {
    const own = { HOME: '/h', PATH: '/bin', LC_ALL: 'C', ANTHROPIC_API_KEY: 'canary', HTTP_PROXY: 'p' };

    expect(environmentToGive({ HTTP_PROXY: 'p' }, own)).toEqual({ HOME: '/h', PATH: '/bin', LC_ALL: 'C', HTTP_PROXY: 'p' });
  });
});

describe('buildEnvironment', () => {
  it('lets the base list through and nothing else', () => {
    const base = { HOME: '/home/me', LANG: 'C', LC_ALL: 'C.UTF-8', LOGNAME: 'me', PATH: '/bin', TMPDIR: '/tmp', TZ: 'UTC', USER: 'me' };

    const environment = buildEnvironment({ from: { ...base, SECRET: 's', TERM: 'xterm', NODE_OPTIONS: '-r evil', LD_PRELOAD: 'evil.so' } });

    expect(environment).toEqual({ ...base, TERM: 'dumb' });
  });

  it('lets named variables through, where they are set', () => {
    const environment = buildEnvironment({ from: { PATH: '/bin', MINE: 'x', EMPTY: '' }, letThrough: ['MINE', 'EMPTY', 'UNSET'] });

    expect(environment).toEqual({ PATH: '/bin', TERM: 'dumb', MINE: 'x', EMPTY: '' });
  });

  it.each(['NATS_CREDS', 'MULTI_AGENT_HOME', 'GITHUB_TOKEN', 'GH_TOKEN', 'SLACK_WEBHOOK_URL', 'DISCORD_WEBHOOK_URL', 'PM2_HOME'])(
    'never lets %s through, but sets it when told to',
    (name) => {
      expect(buildEnvironment({ from: { [name]: 'secret' }, letThrough: [name] })).not.toHaveProperty(name);
      expect(buildEnvironment({ set: { [name]: 'given' } })).toHaveProperty(name, 'given');
    },
  );

  it('prefers what is set explicitly', () => {
    const environment = buildEnvironment({ from: { PATH: '/bin', HOME: '/a' }, letThrough: ['HOME'], set: { HOME: '/b', PATH: '/c' } });

    expect(environment).toMatchObject({ HOME: '/b', PATH: '/c' });
  });

  it('drops relative entries of PATH, and has a default', () => {
    expect(buildEnvironment({ from: { PATH: '.:/usr/bin::node_modules/.bin:/bin' } })['PATH']).toBe('/usr/bin:/bin');
    expect(buildEnvironment({ from: { PATH: '.' } })['PATH']).toContain('/usr/bin');
    expect(buildEnvironment({ from: {} })['PATH']).toContain('/usr/bin');
  });

  it('takes the environment of this process by default', () => {
    expect(buildEnvironment()['PATH']).toContain('/bin');
  });
});
