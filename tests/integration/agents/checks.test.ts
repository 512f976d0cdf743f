import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import type { JobEventMessage } from '../../../src/shared/messages/job-event.ts';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';
import { scriptedRequest } from '../../support/feature-script.ts';
import { git, type InProcessSystem, makeRepository, startSystem } from '../../support/in-process-system.ts';

let system: InProcessSystem;
const repositories: string[] = [];

beforeAll(async () => {
  system = await startSystem({ coder: 'node {bin}/coder.mjs', reviewer: 'node {bin}/reviewer.mjs' });
});
afterAll(async () => {
  await system.stop();
});
afterEach(async () => {
  await Promise.all(repositories.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
});

async function repositoryWith(settings: object | string, files: Record<string, string> = {}): Promise<string> {
  const text = typeof settings === 'string' ? settings : JSON.stringify(settings);
  const directory = await makeRepository({ '.multi-agent.json': text, ...files });
  repositories.push(directory);
  return directory;
}

async function eventsOf(jobId: string): Promise<JobEventMessage['event'][]> {
  const jsm = await jetstreamManager(system.nc);
  const { state } = await jsm.streams.info(STREAMS.events);
  const events: JobEventMessage['event'][] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await jsm.streams.getMessage(STREAMS.events, { seq });
    const parsed = message?.json<JobEventMessage>();
    if (parsed?.jobId === jobId) events.push(parsed.event);
  }
  return events;
}

/** Passes where `ok.txt` says yes. */
const OK = { checks: ['grep -q yes ok.txt'] };

describe("a repository's checks", () => {
  it('are fed back to the runner as another try within the round, and run again on the merge', async () => {
    const repository = await repositoryWith({ setup: ['touch made-by-setup'], ...OK }, { '.gitignore': 'made-by-setup\n' });
    const tries = { first: { 'ok.txt': 'no\n' }, again: { 'ok.txt': 'yes\n' } };

    const job = await system.finished(await system.submit(scriptedRequest(repository, { tries })));

    expect(job).toMatchObject({ status: 'COMPLETED', round: 1, checks: [{ command: 'grep -q yes ok.txt', passed: true, exitCode: 0 }] });
    expect(git(repository, 'show', 'main:ok.txt')).toBe('yes');
    expect((await eventsOf(job.id)).filter(({ type }) => type === 'TryFailed')).toEqual([
      expect.objectContaining({ tryNumber: 1, reason: 'checks_failed' }),
    ]);
  });

  it('that never pass end the job, with its work on the branch', async () => {
    const repository = await repositoryWith(OK);

    const job = await system.finished(await system.submit(scriptedRequest(repository, { files: { 'ok.txt': 'never\n' } })));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'checks_failed', retryable: true }, checks: [{ passed: false }] });
    expect(git(repository, 'show', `multi-agent/${job.id}:ok.txt`)).toBe('never');
    expect(git(repository, 'rev-list', '--count', 'main')).toBe('1');
  });

  it('that fail only together with the newest base cause another round', async () => {
    // Each of the two changes is fine; both together are not. The base moves while the first one is being reviewed.
    const repository = await repositoryWith({ checks: ['sh -c "test ! -e a.txt || test ! -e b.txt || test -e peace.txt"'] });
    const jobId = await system.submit(scriptedRequest(repository, { files: { 'a.txt': 'a\n' }, tries: { again: { 'peace.txt': 'p\n' } } }));
    await system.jobWhen(jobId, ({ phase }) => phase === 'reviewing');
    git(repository, 'checkout', '-q', '--detach');
    git(repository, 'commit', '-q', '--allow-empty', '-m', 'x');
    const tree = git(repository, 'rev-parse', 'HEAD^{tree}');
    const blob = git(repository, 'hash-object', '-w', '.multi-agent.json');
    expect(blob).not.toBe(tree);
    git(repository, 'update-index', '--add', '--cacheinfo', `100644,${blob},b.txt`);
    const moved = git(repository, 'commit-tree', '-p', 'main', '-m', 'b', git(repository, 'write-tree'));
    git(repository, 'update-ref', 'refs/heads/main', moved);
    git(repository, 'reset', '-q', '--hard');

    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'COMPLETED', round: 2, conflictRounds: 1 });
    expect(git(repository, 'ls-tree', '--name-only', 'main').split('\n')).toEqual(expect.arrayContaining(['a.txt', 'b.txt', 'peace.txt']));
  });

  it('are those of the newest base, also where the job began without any', async () => {
    const repository = await repositoryWith('{}');
    const jobId = await system.submit(scriptedRequest(repository, { files: { 'a.txt': 'a\n' }, tries: { again: { 'c.txt': 'c\n' } } }));
    await system.jobWhen(jobId, ({ phase }) => phase === 'reviewing');
    await writeFile(join(repository, '.multi-agent.json'), JSON.stringify({ checks: ['test -e b.txt'] }));
    git(repository, 'commit', '-q', '-a', '-m', 'from now on there has to be a b.txt');

    const job = await system.finished(jobId);

    expect(job).toMatchObject({ status: 'FAILED', conflictRounds: 1, error: { code: 'checks_failed' } });
    expect(git(repository, 'ls-tree', '--name-only', 'main')).not.toContain('a.txt');
  });

  it('and settings that are not valid end the job with every fault', async () => {
    const repository = await repositoryWith({ checks: 'npm test', setupp: [] });

    const job = await system.finished(await system.submit(scriptedRequest(repository)));

    expect(job.error).toMatchObject({ code: 'settings_invalid' });
    expect(job.error?.message).toMatch(/checks[\s\S]*setupp|setupp[\s\S]*checks/);
  });

  it('and settings that are no JSON end the job', async () => {
    const repository = await repositoryWith('{');

    const job = await system.finished(await system.submit(scriptedRequest(repository)));

    expect(job.error).toMatchObject({ code: 'settings_invalid', message: expect.stringContaining('not JSON') });
  });
});

describe('a runner that gives us nothing to take', () => {
  it.each([
    ['changes nothing', { files: {} }, 'no_change'],
    ['ends with an error', { exit: 3 }, 'runner_failed'],
    ['leaves a link out of the tree', { link: '/etc/passwd' }, 'symlink_refused'],
  ])('%s', async (_name, script, code) => {
    const repository = await repositoryWith({});

    const job = await system.finished(await system.submit(scriptedRequest(repository, script)));

    expect(job).toMatchObject({ status: 'FAILED', error: { code, retryable: true } });
    expect(git(repository, 'rev-list', '--count', 'main')).toBe('1');
  });
});

describe('a repository that is not there', () => {
  it('ends the job with the reason', async () => {
    const job = await system.finished(await system.submit(scriptedRequest('/nowhere/at/all')));

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'repository_not_found' } });
  });

  it('and a forge that is not configured do, too', async () => {
    const request = scriptedRequest('/nowhere');
    const job = await system.finished(
      await system.submit({ ...request, repository: { kind: 'github', url: 'https://github.com/example/app' } }),
    );

    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'forge_not_available' } });
  });
});
