import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_USAGE, type Usage } from '../../domain/change.ts';
import { InterruptedError, messageOf, RetryableError, TerminalError } from '../../errors/errors.ts';
import type { Runner, RunnerResult, RunnerTask } from '../runner.ts';
import { applyEdit } from './apply-edit.ts';
import { chooseEntry } from './choose-entry.ts';
import { type FailureCode, readRecording, type RecordedEntry } from './recording.ts';

export interface ReplayRunnerConfig {
  /** Path of the recording; its format is in the docstring of `RecordedEntry`. */
  readonly recording: string;
}

/**
 * Plays a recording, for tests and demonstrations: no model is asked, and no process is started. It edits files of the
 * workspace itself, and only such; its limits and errors are those of any runner.
 *
 * Throws `InvalidInputError` `invalid_recording` naming every fault of the recording.
 */
export function createReplayRunner(config: ReplayRunnerConfig): Runner {
  const entries = readRecording(config.recording);
  return {
    kind: 'replay',
    description: `replay (recorded, no model): ${basename(config.recording)}`,
    startsPrograms: false,
    needsWorkspace: (role) => role === 'coder',
    run: async (task) => {
      throwIfAborted(task);
      const entry = chooseEntry(entries, task);
      if (entry === undefined)
        throw new TerminalError('runner_failed', `the recording has nothing for a ${task.role} in round ${String(task.round)}`);
      await playEvents(task, entry);
      for (const edit of entry.edits) {
        throwIfAborted(task);
        await applyEdit(task, edit).catch((cause: unknown) => {
          throw new TerminalError('runner_failed', messageOf(cause), { cause });
        });
      }
      return resultOf(entry);
    },
  };
}

async function playEvents(task: RunnerTask, entry: RecordedEntry): Promise<void> {
  const endsAt = performance.now() + task.wallMs;
  for (const event of entry.events) {
    const leftMs = endsAt - performance.now();
    await pause(task, Math.min(event.afterMs, task.stallMs, Math.max(leftMs, 0)));
    if (event.afterMs > leftMs && leftMs <= task.stallMs)
      throw failure('runner_timeout', 'the recording was ended: it took longer than its limit');
    if (event.afterMs > task.stallMs) throw failure('runner_stalled', 'the recording was ended: it said nothing for too long');
    task.onOutput({ type: event.type, text: event.text });
  }
}

async function pause(task: RunnerTask, ms: number): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal: task.signal }).catch(() => undefined);
  throwIfAborted(task);
}

function throwIfAborted(task: RunnerTask): void {
  if (task.signal.aborted) throw new InterruptedError('runner_interrupted', 'the recording was ended: its work is no longer wanted');
}

function resultOf(entry: RecordedEntry): RunnerResult {
  if (entry.fail !== undefined) throw failure(entry.fail.code, entry.fail.message ?? 'the recording fails here', entry.usage);
  const result = { summary: entry.summary, usage: entry.usage ?? NO_USAGE };
  return entry.role === 'reviewer' ? { ...result, verdict: entry.verdict } : result;
}

function failure(code: FailureCode, message: string, usage?: Usage): Error {
  const passes = code === 'runner_unavailable' || code === 'runner_stalled';
  const options = usage ? { details: { usage } } : {};
  return passes ? new RetryableError(code, message, options) : new TerminalError(code, message, options);
}
