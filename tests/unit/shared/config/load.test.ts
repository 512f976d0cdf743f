import { describe, expect, it } from '@jest/globals';
import { loadConfig, secretsIn } from '../../../../src/shared/config/load.ts';
import { InvalidInputError } from '../../../../src/shared/errors/errors.ts';

describe('loadConfig', () => {
  it('needs nothing set', () => {
    const config = loadConfig('cli', { HOME: '/home/ann' });

    expect(config).toMatchObject({
      home: '/home/ann/.multi-agent',
      natsPort: 4222,
      healthPort: 3000,
      logLevel: 'info',
      ackWaitMs: 10_000,
      drainMs: 10_000,
    });
    expect(config.coderRunner).toBeUndefined();
    expect(config.unsafeNoSandbox).toBe(false);
  });

  it('names every fault at once, each with its variable', () => {
    const env = { NATS_PORT: 'x', LOG_LEVEL: 'loud', NATS_URL: 'http://a', CODER_RUNNER: 'command', NATS_CERT_FILE: '/c' };

    const fault = faultOf(() => loadConfig('cli', env));

    expect(fault.faults).toHaveLength(5);
    for (const name of Object.keys(env)) expect(fault.message).toContain(name);
  });

  it('does not show a secret that is wrong', () => {
    const fault = faultOf(() => loadConfig('cli', { SLACK_WEBHOOK_URL: 'hooks.example/secret' }));

    expect(fault.message).toContain('SLACK_WEBHOOK_URL');
    expect(fault.message).not.toContain('secret');
  });

  it('takes an empty variable as unset', () => {
    expect(loadConfig('cli', { NATS_URL: '', NATS_PORT: ' ' }).natsPort).toBe(4222);
  });

  it('hides from a role what is not for it', () => {
    const env = { GITHUB_TOKEN: 'token-of-ann', ANTHROPIC_API_KEY: 'key-of-ann', CODER_COMMAND: './code', REVIEWER_COMMAND: './review' };

    const coder = loadConfig('coder', env);
    const repoManager = loadConfig('repo-manager', env);

    expect(coder).toMatchObject({
      githubToken: undefined,
      coderCommand: './code',
      reviewerCommand: undefined,
      anthropicApiKey: 'key-of-ann',
    });
    expect(coder.modelEnvironment).toEqual({ ANTHROPIC_API_KEY: 'key-of-ann' });
    expect(repoManager).toMatchObject({
      githubToken: 'token-of-ann',
      anthropicApiKey: undefined,
      coderCommand: undefined,
      modelEnvironment: {},
    });
  });

  it('does not fault a daemon for a variable it may not see', () => {
    expect(() => loadConfig('coder', { SLACK_WEBHOOK_URL: 'no url', REVIEWER_RUNNER: 'nonsense' })).not.toThrow();
  });

  it('infers the runner from what is set for it', () => {
    const config = loadConfig('cli', { CODER_COMMAND: './code', REVIEWER_RECORDING: '/r.jsonl' });

    expect([config.coderRunner, config.reviewerRunner]).toEqual(['command', 'replay']);
  });

  it('makes paths absolute, from the home of the environment it was given', () => {
    const config = loadConfig('cli', { HOME: '/home/ann', NATS_CREDS: '~/a.creds', CODER_RECORDING: 'r.jsonl' });

    expect(config.natsCreds).toBe('/home/ann/a.creds');
    expect(config.coderRecording).toBe(`${process.cwd()}/r.jsonl`);
  });

  it('takes several servers', () => {
    expect(loadConfig('cli', { NATS_URL: 'nats://a:1,nats://b:2' }).natsUrl).toBe('nats://a:1,nats://b:2');
  });

  it('knows which values are secret', () => {
    expect(secretsIn({ OPENAI_API_KEY: 'k1', OPENAI_BASE_URL: 'https://x', GITHUB_TOKEN: 'k2' })).toEqual(['k1', 'k2']);
  });
});

function faultOf(work: () => unknown): InvalidInputError {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
