import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_USAGE } from '../../../src/shared/domain/change.ts';
import { InterruptedError, RetryableError, TerminalError } from '../../../src/shared/errors/errors.ts';
import type { Runner, RunnerOutput, RunnerTask } from '../../../src/shared/runner/runner.ts';
import { parseVerdict } from '../../../src/shared/runner/verdict.ts';
import { pidsWith } from '../../support/marked-processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

/** What a runner under test is made to do. */
export interface RunnerScenarios {
  /** Writes `written.txt` with "written" and ends with the line "wrote written.txt". */
  readonly edits: () => Runner;
  /** Says "looking at the change" and approves, at a cost of 0.5 dollars. */
  readonly approves: () => Runner;
  readonly fails: () => Runner;
  readonly isUnavailable: () => Runner;
  /** A reviewer that gives no verdict. */
  readonly givesNoVerdict: () => Runner;
  /** Says "started" and then nothing, for ever. */
  readonly fallsSilent: () => Runner;
  /** Talks for ever. */
  readonly neverEnds: () => Runner;
  /** Prints the numbers from 1 to 2,000, a line each. */
  readonly counts: () => Runner;
}

/** A task whose directories and mark are the test's own. */
export interface TestTask {
  readonly task: RunnerTask;
  readonly outputs: RunnerOutput[];
  abort(): void;
  remove(): void;
}

const JOB_ID = 'job-01JD00000000000000000000AA';

export function testTask(changes: Partial<RunnerTask> = {}): TestTask {
  const root = temporaryDirectory('runner');
  const [workspace, scratch, sessions] = [join(root.path, 'workspace'), join(root.path, 'scratch'), join(root.path, 'sessions')];
  for (const folder of [workspace, scratch, sessions]) mkdirSync(folder, { mode: 0o700 });
  const outputs: RunnerOutput[] = [];
  const controller = new AbortController();
  const role = changes.role ?? 'coder';
  const task: RunnerTask = {
    jobId: JOB_ID,
    taskId: `${JOB_ID}.${role === 'coder' ? 'implement' : 'review'}.1`,
    role,
    round: 1,
    attempt: 3,
    tryNumber: 1,
    workspace,
    scratch,
    sessions,
    readable: [],
    prompt: 'please do it',
    context: {
      feature: { title: 'Add --json', description: 'as it says', requirements: [], acceptanceCriteria: [] },
      baseCommit: 'a'.repeat(40),
      reviews: [],
    },
    environment: [],
    mark: `coder-1:${randomUUID()}`,
    wallMs: 30_000,
    stallMs: 20_000,
    onOutput: (output) => outputs.push(output),
    signal: controller.signal,
    ...changes,
  };
  return {
    task,
    outputs,
    abort: () => {
      controller.abort();
    },
    remove: root.remove,
  };
}

/** What the port promises, whichever the adapter. */
export function runnerContract(name: string, scenarios: RunnerScenarios): void {
  describe(`runner ${name}`, () => {
    let current: TestTask | undefined;
    const prepare = (changes: Partial<RunnerTask> = {}): TestTask => (current = testTask(changes));

    beforeEach(() => {
      current = undefined;
    });

    afterEach(() => {
      const left = current === undefined ? [] : pidsWith(`MULTI_AGENT_RUN=${current.task.mark}`);
      current?.remove();
      expect(left).toEqual([]);
    });

    it('edits the files of the workspace, and nothing else stays', async () => {
      const { task } = prepare();

      const result = await scenarios.edits().run(task);

      expect(readFileSync(join(task.workspace, 'written.txt'), 'utf8')).toBe('written\n');
      expect(readdirSync(task.workspace)).toEqual(['written.txt']);
      expect(readdirSync(task.scratch)).toEqual([]);
      expect(result.summary).toContain('wrote written.txt');
      expect(result.usage).toEqual(NO_USAGE);
      expect(result).not.toHaveProperty('verdict');
    });

    it('gives a verdict as a reviewer, with what it cost', async () => {
      const { task, outputs } = prepare({ role: 'reviewer' });

      const result = await scenarios.approves().run(task);

      expect(parseVerdict(result.verdict)).toEqual({ decision: 'APPROVE', summary: 'Add --json', comments: [] });
      expect(result.usage).toEqual({ inputTokens: 7, outputTokens: 3, costUsd: 0.5 });
      expect(outputs[0]?.text).toBe('looking at the change');
    });

    it('says how it is shown to people', () => {
      const runner = scenarios.edits();

      expect(runner.description.startsWith(runner.kind)).toBe(true);
      expect(runner.needsWorkspace('coder')).toBe(true);
    });

    it('fails for good', async () => {
      const failure = await failureOf(scenarios.fails().run(prepare().task));

      expect(failure).toBeInstanceOf(TerminalError);
      expect(failure).toMatchObject({ code: 'runner_failed', message: expect.stringContaining('no luck today') });
    });

    it('asks for another try when it is unavailable', async () => {
      const failure = await failureOf(scenarios.isUnavailable().run(prepare().task));

      expect(failure).toBeInstanceOf(RetryableError);
      expect(failure).toMatchObject({ code: 'runner_unavailable' });
    });

    it('refuses a reviewer that gives no verdict', async () => {
      const failure = await failureOf(scenarios.givesNoVerdict().run(prepare({ role: 'reviewer' }).task));

      expect(failure).toBeInstanceOf(TerminalError);
      expect(failure).toMatchObject({ code: 'invalid_verdict' });
    });

    it('ends a run that falls silent', async () => {
      const { task, outputs } = prepare({ stallMs: 400 });

      const failure = await failureOf(scenarios.fallsSilent().run(task));

      expect(failure).toBeInstanceOf(RetryableError);
      expect(failure).toMatchObject({ code: 'runner_stalled' });
      expect(outputs.map((output) => output.text)).toEqual(['started']);
    });

    it('ends a run that takes too long, however much it says', async () => {
      const { task, outputs } = prepare({ wallMs: 600, stallMs: 20_000 });

      const failure = await failureOf(scenarios.neverEnds().run(task));

      expect(failure).toBeInstanceOf(TerminalError);
      expect(failure).toMatchObject({ code: 'runner_timeout' });
      expect(outputs.length).toBeGreaterThan(1);
    });

    it('ends a run that is no longer wanted', async () => {
      const { task, outputs, abort } = prepare();
      const failed = failureOf(scenarios.fallsSilent().run(task));
      await until('the runner has started', () => outputs.length > 0);

      abort();
      const failure = await failed;

      expect(failure).toBeInstanceOf(InterruptedError);
      expect(failure).toMatchObject({ code: 'runner_interrupted' });
    });

    it('starts nothing that is no longer wanted', async () => {
      const { task, outputs, abort } = prepare();
      abort();

      const failure = await failureOf(scenarios.edits().run(task));

      expect(failure).toMatchObject({ code: 'runner_interrupted' });
      expect(outputs).toEqual([]);
      expect(readdirSync(task.workspace)).toEqual([]);
    });

    it('hands on what is said line by line, in order', async () => {
      const { task, outputs } = prepare();

      await scenarios.counts().run(task);

      expect(outputs.map((output) => output.text)).toEqual(Array.from({ length: 2_000 }, (_, index) => String(index + 1)));
    });
  });
}

/** What a promise was rejected with; fails the test where it was not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('should have failed');
}
