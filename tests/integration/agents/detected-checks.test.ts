import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';

let system: InProcessSystem;
const repositories: string[] = [];

beforeAll(async () => {
  system = await startSystem({ coder: "sh -c 'echo new > new.txt'", reviewer: `echo '{"decision":"APPROVE","summary":"fine"}'` });
});
afterAll(async () => {
  await system.stop();
  await Promise.all(repositories.map((repository) => rm(repository, { recursive: true, force: true })));
});

async function checksOf(files: Readonly<Record<string, string>>) {
  const repository = await makeRepository(files);
  repositories.push(repository);
  const { status, settings, checks, error } = await system.finished(
    await system.submit({ repository: { kind: 'local', url: repository } }),
  );
  return {
    status,
    settings,
    checks: checks?.map(({ command, passed }) => `${command} ${passed ? 'passed' : 'failed'}`),
    error: error?.code,
  };
}

const MAKEFILE = 'test:\n\tgrep -q new new.txt\n';

describe('checks that nobody wrote down', () => {
  it('are detected, run, and called detected', async () => {
    expect(await checksOf({ Makefile: MAKEFILE })).toMatchObject({
      status: 'COMPLETED',
      checks: ['make test passed'],
      settings: { checks: ['make test'], detected: true },
    });
  });

  it('decide like any other', async () => {
    expect(await checksOf({ Makefile: 'test:\n\tfalse\n' })).toMatchObject({ status: 'FAILED', error: 'checks_failed' });
  });

  it('are none where the settings say so', async () => {
    const found = await checksOf({ Makefile: 'test:\n\tfalse\n', '.multi-agent.json': '{ "checks": [] }' });

    expect(found).toMatchObject({ status: 'COMPLETED', settings: { checks: [] } });
    expect(found.settings).not.toHaveProperty('detected');
  });

  it('go with the setup that the settings name', async () => {
    const found = await checksOf({
      Makefile: 'test:\n\ttest -f made\n',
      '.multi-agent.json': '{ "setup": ["touch made"], "timeoutMs": 5000 }',
    });

    expect(found).toMatchObject({ status: 'COMPLETED', settings: { setup: ['touch made'], checks: ['make test'], timeoutMs: 5_000 } });
  });
});
