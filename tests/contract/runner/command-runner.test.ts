import { readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TerminalError } from '../../../src/shared/errors/errors.ts';
import type { WrapCommand } from '../../../src/shared/process/run-process.ts';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import { UNSAFE } from '../../../src/shared/process/sandbox/sandbox.ts';
import { type CommandRunnerConfig, createCommandRunner } from '../../../src/shared/runner/command/command-runner.ts';
import { type Runner, type RunnerTask, usageOfFailure } from '../../../src/shared/runner/runner.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { until } from '../../support/until.ts';
import { failureOf, runnerContract, type RunnerScenarios, type TestTask, testTask } from './runner-contract.ts';

const FAKES = join(import.meta.dirname, '../../support/fake-runners');
const command = (config: Omit<CommandRunnerConfig, 'confinement'>, sandbox = UNSAFE): Runner =>
  createCommandRunner({ confinement: { sandbox, home: '/nowhere' }, ...config });
const fake = (name: string, ...args: string[]): Runner => command({ command: [join(FAKES, name), ...args], graceMs: 300 });
const bubblewrap = await openSandbox({ home: '/nowhere', unsafe: false });
const inside = (name: string, ...args: string[]): Runner => command({ command: [join(FAKES, name), ...args], graceMs: 300 }, bubblewrap);

const scenariosOf = (run: typeof fake): RunnerScenarios => ({
  edits: () => run('write-file.mjs', 'written.txt', 'written\n'),
  approves: () => run('review.mjs', 'approve'),
  fails: () => run('exit-with.sh', '1'),
  isUnavailable: () => run('exit-with.sh', '75'),
  givesNoVerdict: () => run('numbers.sh', '0'),
  fallsSilent: () => run('hang.sh'),
  neverEnds: () => run('chatter.sh'),
  counts: () => run('numbers.sh', '2000'),
});

runnerContract('command', scenariosOf(fake));
runnerContract('command in a sandbox', scenariosOf(inside));

describe('runner command', () => {
  let current: TestTask;

  beforeEach(() => {
    current = testTask();
  });

  afterEach(() => {
    current.remove();
    delete process.env['CANARY_SECRET'];
    delete process.env['CANARY_ALLOWED'];
  });

  it.each([0, 1, 75])('says what a run cost that ends with status %i', async (status) => {
    const usage = { inputTokens: 5, outputTokens: 0, costUsd: 0.5 };
    const runner = command({ command: ['sh', '-c', `echo '${JSON.stringify({ usage })}'; exit ${String(status)}`] });

    const cost = await runner.run(current.task).then((result) => result.usage, usageOfFailure);

    expect(cost).toEqual(usage);
  });

  it('tells the task by variables, a context file and stdin', async () => {
    const task = { ...current.task, round: 2, tryNumber: 4 };

    const told = await toldTo(task, {});

    expect(told).toMatchObject({
      cwd: realpathSync(task.workspace),
      stdin: 'please do it',
      context: task.context,
      contextMode: '600',
      env: {
        MULTI_AGENT_JOB_ID: task.jobId,
        MULTI_AGENT_TASK_ID: task.taskId,
        MULTI_AGENT_ROLE: 'coder',
        MULTI_AGENT_ROUND: '2',
        MULTI_AGENT_ATTEMPT: '3',
        MULTI_AGENT_TRY: '4',
        MULTI_AGENT_RUN: task.mark,
        TERM: 'dumb',
        PATH: process.env['PATH'],
      },
    });
  });

  it('keeps the environment of the daemon to itself', async () => {
    process.env['CANARY_SECRET'] = 'do not tell';

    const { env } = await toldTo(current.task, {});

    const known = /^(PATH|HOME|LANG|LC_.*|LOGNAME|TMPDIR|TZ|USER|TERM|MULTI_AGENT_.*|GIT_.*)$/;
    expect(JSON.stringify(env)).not.toContain('do not tell');
    expect(Object.keys(env).filter((name) => !known.test(name))).toEqual([]);
  });

  it('lets through what the settings and the operator name, but no key of the system itself', async () => {
    Object.assign(process.env, { CANARY_ALLOWED: 'for you', CANARY_SECRET: 'for you too', NATS_CANARY: 'not for you' });
    const task = { ...current.task, environment: ['CANARY_ALLOWED', 'NATS_CANARY', 'NOT_SET'] };

    const { env } = await toldTo(task, { environment: ['CANARY_SECRET'] });

    delete process.env['NATS_CANARY'];
    expect(env).toMatchObject({ CANARY_ALLOWED: 'for you', CANARY_SECRET: 'for you too' });
    expect(env).not.toHaveProperty('NATS_CANARY');
    expect(env).not.toHaveProperty('NOT_SET');
  });

  it('gives an empty home of its own, unless the operator lets HOME through', async () => {
    const own = await toldTo({ ...current.task, environment: ['HOME'] }, {});
    const letThrough = await toldTo(current.task, { environment: ['HOME'] });

    expect(dirname(dirname(own.env['HOME'] ?? ''))).toBe(current.task.scratch);
    expect(dirname(own.env['TMPDIR'] ?? '')).toBe(dirname(own.env['HOME'] ?? ''));
    expect(own).toMatchObject({ homeFiles: 0, tmpMode: '700' });
    expect(letThrough.env['HOME']).toBe(process.env['HOME']);
  });

  it('lets git commit in an empty home, and does not let it find a repository above the workspace', async () => {
    const runner = command({
      command: [
        'sh',
        '-c',
        'git rev-parse 2>&1; git init -q . && echo a > a && git add a && git commit -qm "adds a" && git log --format=%s',
      ],
    });
    writeFileSync(join(dirname(current.task.workspace), 'HEAD'), 'ref: refs/heads/main\n');

    const { summary } = await runner.run(current.task);

    expect(summary).toContain('not a git repository');
    expect(summary.endsWith('adds a')).toBe(true);
  });

  it('takes 40 MB of output, and a summary out of it', async () => {
    let bytes = 0;
    let lastLine = '';
    const onOutput: RunnerTask['onOutput'] = ({ text }) => {
      bytes += text.length + 1;
      lastLine = text;
    };

    const { summary } = await fake('flood.mjs').run({ ...current.task, onOutput });

    expect(bytes).toBeGreaterThan(40 * 1024 * 1024);
    expect(lastLine).toBe('that was all');
    expect(summary.endsWith('that was all')).toBe(true);
    expect(summary.length).toBeLessThanOrEqual(4_000);
  });

  it('ends what a runner leaves behind with setsid', async () => {
    const { summary } = await fake('leave-behind.sh').run(current.task);

    expect(summary).toBe('done');
    expect(marked(current.task)).toEqual([]);
  });

  it('marks every process of a run, and ends them all when it is no longer wanted', async () => {
    const failed = failureOf(fake('hang.sh', 'stubborn').run(current.task));
    await until('the whole family runs', () => marked(current.task).length >= 4);

    current.abort();
    const failure = await failed;

    expect(failure).toMatchObject({ code: 'runner_interrupted' });
    expect(marked(current.task)).toEqual([]);
  });

  it('fails when the program is missing, and hints at relative paths', async () => {
    const onPath = await failureOf(command({ command: 'no-such-program-anywhere --fix' }).run(current.task));
    const inWorkspace = await failureOf(command({ command: './missing.sh' }).run(current.task));

    expect(onPath).toBeInstanceOf(TerminalError);
    expect(onPath).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('not found on PATH') });
    expect(inWorkspace).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('give an absolute one') });
  });

  it('shows the start of last words that are no verdict', async () => {
    const runner = command({ command: ['echo', `I approve ${'very '.repeat(100)}much`] });

    const failure = await failureOf(runner.run({ ...current.task, role: 'reviewer' }));

    expect(failure).toMatchObject({ code: 'invalid_verdict', message: expect.stringContaining('I approve very very') });
    expect(failure instanceof Error && failure.message.length).toBeLessThan(300);
  });

  it('does not follow a link that an earlier try left in scratch', async () => {
    const first = command({
      command: ['sh', '-c', 'ln -s /nowhere "$(dirname "$(dirname "$MULTI_AGENT_CONTEXT")")/context.json"'],
    });
    await first.run(current.task);

    const told = await toldTo(current.task, {});

    expect(told.context).toEqual(current.task.context);
    expect(readdirSync(current.task.scratch)).toEqual(['context.json']);
  });

  it('can be put into a sandbox', async () => {
    const wrap: WrapCommand = (wrapped) => ({ ...wrapped, argv: ['echo', 'wrapped:', ...wrapped.argv] });
    const runner = command({ command: 'echo unwrapped' }, { ...UNSAFE, enter: () => Promise.resolve({ wrap, folders: undefined }) });

    const { summary } = await runner.run(current.task);

    expect(summary).toBe('wrapped: echo unwrapped');
  });
});

interface Told {
  readonly env: Readonly<Record<string, string>>;
  readonly context: unknown;
}

async function toldTo(task: RunnerTask, config: { environment?: string[] }): Promise<Told> {
  const lines: string[] = [];
  const runner = command({ command: join(FAKES, 'print-task.mjs'), ...config });
  await runner.run({ ...task, onOutput: ({ text }) => lines.push(text) });
  return JSON.parse(lines.join('')) as Told;
}

function marked(task: RunnerTask): number[] {
  return pidsWith(`MULTI_AGENT_RUN=${task.mark}`);
}
