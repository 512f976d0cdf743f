import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import { UNSAFE } from '../../../src/shared/process/sandbox/sandbox.ts';
import type { ClaudeRunnerConfig } from '../../../src/shared/runner/claude/claude-config.ts';
import { createClaudeRunner } from '../../../src/shared/runner/claude/claude-runner.ts';
import { type Runner, usageOfFailure } from '../../../src/shared/runner/runner.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { failureOf, runnerContract, type RunnerScenarios, type TestTask, testTask } from './runner-contract.ts';

const PROGRAM = join(import.meta.dirname, '../../support/fake-runners/claude/claude.sh');
const bubblewrap = await openSandbox({ home: '/nowhere', unsafe: false });
const fake =
  (sandbox = UNSAFE) =>
  (scenario: string, config: Partial<ClaudeRunnerConfig> = {}): Runner =>
    createClaudeRunner({
      program: PROGRAM,
      confinement: { sandbox, home: '/nowhere' },
      values: { FAKE_CLAUDE: scenario },
      graceMs: 300,
      settleMs: 300,
      ...config,
    });
const claude = fake();

const scenariosOf = (run: typeof claude): RunnerScenarios => ({
  edits: () => run('edits'),
  approves: () => run('approves'),
  fails: () => run('fails'),
  isUnavailable: () => run('replay:e500'),
  givesNoVerdict: () => run('edits'),
  fallsSilent: () => run('silent'),
  neverEnds: () => run('chatter'),
  counts: () => run('counts'),
});

runnerContract('claude', scenariosOf(claude));
runnerContract('claude in a sandbox', scenariosOf(fake(bubblewrap)));

describe('runner claude', () => {
  let current: TestTask;

  beforeEach(() => {
    current = testTask();
  });

  afterEach(() => {
    const left = pidsWith(`MULTI_AGENT_RUN=${current.task.mark}`);
    current.remove();
    expect(left).toEqual([]);
  });

  it.each([
    ['replay:e401', 'runner_not_logged_in'],
    ['replay:noKey', 'runner_not_logged_in'],
    ['replay:e429after', 'runner_limited'],
    ['replay:e529', 'runner_limited'],
    ['replay:tooLong', 'context_too_long'],
    ['replay:maxTurns', 'runner_failed'],
    ['endsWithoutResult', 'runner_failed'],
    ['failsAfterResult', 'runner_failed'],
  ])('tells how %s failed: %s', async (scenario, code) => {
    expect(await failureOf(claude(scenario).run(current.task))).toMatchObject({ code });
  });

  it('says what a run cost that fails', async () => {
    const failed = await failureOf(claude('fails').run(current.task));

    expect(usageOfFailure(failed)).toEqual({ inputTokens: 4, outputTokens: 0, costUsd: 0.125 });
  });

  it('passes on how long a limit lasts', async () => {
    expect(await failureOf(claude('replay:e429after').run(current.task))).toMatchObject({ code: 'runner_limited', retryAfterMs: 1048 });
  });

  it('counts a run by its result that does not end by itself', async () => {
    const { summary } = await claude('lingers').run(current.task);

    expect(summary).toBe('done');
  });

  it('takes events of 10 MB, and says what it had to leave out', async () => {
    const { summary, usage } = await claude('floods').run(current.task);

    expect(summary).toBe('ü'.repeat(4_000));
    expect(usage.costUsd).toBe(0.5);
    expect(current.outputs.map(({ type, text }) => `${type} ${text.slice(0, 40)}`)).toEqual([
      `message ${'ü'.repeat(40)}`,
      'usage 1 tokens in, 1 out, $0.5000',
      'note 1 event longer than 32 MB left out',
    ]);
  });

  it('asks a reviewer once more that gave no verdict, and counts both', async () => {
    const review = testTask({ role: 'reviewer' });

    const result = await claude('approvesWhenAsked').run(review.task);
    review.remove();

    expect(result).toMatchObject({ verdict: { decision: 'APPROVE' }, usage: { inputTokens: 7, outputTokens: 3, costUsd: 0.5 } });
  });

  it('goes on with the conversation of the round before', async () => {
    const runner = claude('remembers');

    const first = await runner.run(current.task);
    const second = await runner.run({ ...current.task, round: 2 });

    expect(first.summary).toBe('began');
    expect(second.summary).toMatch(/^went on with [0-9a-f-]{36}$/);
    expect(readdirSync(current.task.sessions).sort()).toEqual(['claude', 'session.json']);
  });

  it('begins anew, once, where the CLI does not know the conversation', async () => {
    const runner = claude('remembers');
    await runner.run(current.task);
    rmSync(join(current.task.sessions, 'claude'), { recursive: true });

    const { summary } = await runner.run(current.task);

    expect(summary).toBe('began');
    expect(current.outputs.filter(({ type }) => type === 'note')).toEqual([
      { type: 'note', text: 'the conversation of the round before is not there: a new one begins' },
    ]);
  });

  it('does not go on with a conversation of an older version in another folder', async () => {
    await claude('remembers').run(current.task);
    change(join(current.task.sessions, 'session.json'), { version: '2.1.197', cwd: '/elsewhere' });

    const { summary } = await claude('remembers').run(current.task);

    expect(summary).toBe('began');
  });

  it.each([
    ['replay:tooLong', 'began'],
    ['replay:maxTurns', 'went on'],
    ['replay:e529', 'went on'],
  ])('after %s the next run %s', async (scenario, how) => {
    await claude('remembers').run(current.task);
    await failureOf(claude(scenario).run(current.task));

    const { summary } = await claude('remembers').run(current.task);

    expect(summary.startsWith(how)).toBe(true);
  });

  it('takes over nothing that a round left in the folder of the CLI but its conversations', async () => {
    const folder = join(current.task.sessions, 'claude');
    mkdirSync(join(folder, 'skills/evil'), { recursive: true });
    writeFileSync(join(folder, 'settings.json'), '{"hooks":{}}');

    await claude('remembers').run(current.task);

    expect(readdirSync(folder)).toEqual(['projects']);
  });

  it('gives the key by the environment alone, and takes it out of what is said', async () => {
    const confinement = { sandbox: UNSAFE, home: '/nowhere', models: { ANTHROPIC_API_KEY: 'canary-key-1' } };

    const told = await claude('tells', { confinement, model: 'm-1', mcpConfig: '{"mcpServers":{"a":{"env":{"K":"canary-key-2"}}}}' }).run(
      current.task,
    );
    const failed = await failureOf(claude('leaksKey', { confinement }).run(current.task));

    expect(told.summary).toContain('"ANTHROPIC_API_KEY":"[redacted]"');
    expect(told.summary).toContain('"ANTHROPIC_BASE_URL":"http://127.0.0.1:');
    expect(told.summary).toContain('"stdin":"please do it"');
    expect(told.summary).not.toContain('canary-key');
    expect(failed).toMatchObject({ code: 'runner_not_logged_in', message: expect.stringContaining('refused [redacted]') });
    expect(JSON.stringify(current.outputs)).not.toContain('canary-key');
    expect(current.outputs[0]?.text).toBe('the key is [redacted]');
  });

  it('leaves nothing where the run can not be started', async () => {
    const refusing = { ...UNSAFE, enter: () => Promise.reject(new Error('no')) };
    const confinement = { sandbox: refusing, home: '/nowhere', models: { ANTHROPIC_API_KEY: 'canary-key-1' } };

    const missing = await failureOf(claude('edits', { program: 'no-such-claude' }).run(current.task));
    const refused = await failureOf(claude('edits', { confinement }).run(current.task));

    expect(missing).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('not found on PATH') });
    expect(refused).toMatchObject({ code: 'runner_failed' });
    expect(readdirSync(current.task.scratch)).toEqual([]);
  });

  it('says so where the version was not tested', async () => {
    const version = '9.9.9';

    await claude('edits', { values: { FAKE_CLAUDE: 'edits', FAKE_VERSION: version } }).run(current.task);

    expect(current.outputs.at(-1)).toEqual({ type: 'note', text: expect.stringContaining(`claude ${version} was not tested`) });
  });
});

function change(file: string, changes: object): void {
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...changes }));
}
