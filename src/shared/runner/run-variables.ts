import { dirname } from 'node:path';
import type { SandboxedRun } from '../process/sandbox/sandbox.ts';
import type { RunDirectory } from './run-directory.ts';
import type { RunnerTask } from './runner.ts';

/** The variables by which a program that does a task is told of it, with a home and a temporary folder of the run's own. */
export function variablesOfTask(
  task: RunnerTask,
  directory: RunDirectory,
  { folders }: Pick<SandboxedRun, 'folders'>,
): Readonly<Record<string, string>> & { readonly HOME: string; readonly TMPDIR: string } {
  return {
    HOME: folders?.home ?? directory.home,
    TMPDIR: folders?.tmp ?? directory.tmp,
    MULTI_AGENT_JOB_ID: task.jobId,
    MULTI_AGENT_TASK_ID: task.taskId,
    MULTI_AGENT_ROLE: task.role,
    MULTI_AGENT_ROUND: String(task.round),
    MULTI_AGENT_ATTEMPT: String(task.attempt),
    MULTI_AGENT_TRY: String(task.tryNumber),
    MULTI_AGENT_CONTEXT: directory.contextFile,
    GIT_CEILING_DIRECTORIES: dirname(task.workspace),
    ...GIT_IDENTITY,
  };
}

// Without a name `git commit` fails in an empty home. The commits are folded into ours, so the name does not last.
const GIT_IDENTITY = {
  GIT_AUTHOR_NAME: 'multi-agent runner',
  GIT_AUTHOR_EMAIL: 'runner@multi-agent.invalid',
  GIT_COMMITTER_NAME: 'multi-agent runner',
  GIT_COMMITTER_EMAIL: 'runner@multi-agent.invalid',
} as const;
