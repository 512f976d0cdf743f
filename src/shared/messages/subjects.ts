import { JobId, type TaskId, type TaskRole } from '../domain/ids.ts';
import type { Priority } from '../domain/priority.ts';

/** Who an input comes from; each source may write its own subject only. */
export type InputSource = 'coder' | 'reviewer' | 'command' | 'forge' | 'clock';
export type DeadLetterRole = 'coder' | 'reviewer' | 'repo-manager';

/** Every subject of ours. It is written here and nowhere else. */
export const subjects = {
  request: (jobId: JobId) => `request.${jobId}`,
  requests: 'request.*',
  input: (source: InputSource, jobId: JobId) => `input.${source}.${jobId}`,
  inputsOf: (jobId: JobId) => `input.*.${jobId}`,
  inputs: 'input.>',
  task: (role: TaskRole, priority: Priority) => `task.${role}.${priority}`,
  tasksFor: (role: TaskRole) => `task.${role}.*`,
  tasks: 'task.>',
  event: (jobId: JobId, type: string) => `event.${jobId}.${type}`,
  eventsOf: (jobId: JobId) => `event.${jobId}.*`,
  events: 'event.>',
  log: (jobId: JobId, taskId: TaskId) => `log.${jobId}.${taskId}`,
  logsOf: (jobId: JobId) => `log.${jobId}.>`,
  logs: 'log.>',
  dead: (role: DeadLetterRole) => `dead.${role}`,
  deadLetters: 'dead.*',
  /** Core: the task is no longer wanted. Only makes quicker what the claim says. */
  cancel: (taskId: TaskId) => `cancel.${taskId}`,
  /** Core, to one agent that idles (queue group): there is a task for this role; the text is its priority. Only makes quicker what polling finds. */
  wake: (role: TaskRole) => `wake.${role}`,
  /** Core request to any repo-manager (queue group): a bundle for a cache that lacks something. */
  bundleNeed: 'bundles.need',
} as const;

/** The job that a request or an input is for: the last token of its subject. */
export function jobIdIn(subject: string): JobId | undefined {
  return JobId.safeParse(subject.split('.').at(-1)).data;
}
