import { partsOfTaskId } from '../../shared/domain/ids.ts';
import { TerminalError } from '../../shared/errors/errors.ts';
import type { InputMessage } from '../../shared/messages/job-input.ts';
import { type InputSource, subjects } from '../../shared/messages/subjects.ts';

/**
 * What may be said depends on who says it, and the subject is what the server lets only its owner write: a coder can't
 * approve, a reviewer can't implement, and nobody speaks for another job.
 *
 * @throws TerminalError `wrong_subject`
 */
export function requireOwnSubject(message: InputMessage, subject: string): void {
  if (subject === subjects.input(sourceOf(message), message.jobId) && isConsistent(message)) return;
  throw new TerminalError('wrong_subject', `${message.type} for ${message.jobId} came by a subject that is not its own.`);
}

/** A report is about a task of its own job, of the role that may report it, by an agent of that role. */
function isConsistent(message: InputMessage): boolean {
  if (!('taskId' in message)) return true;
  const { jobId, role } = partsOfTaskId(message.taskId);
  return jobId === message.jobId && role === sourceOf(message) && message.agentId.startsWith(`${role}-`);
}

function sourceOf(message: InputMessage): InputSource {
  switch (message.type) {
    case 'ImplementationResult':
      return 'coder';
    case 'ReviewResult':
      return 'reviewer';
    case 'TaskStarted':
    case 'TaskFailed':
    case 'UsageReported':
      return partsOfTaskId(message.taskId).role;
    case 'StopJob':
    case 'ApproveJob':
    case 'RejectJob':
    case 'RetryJob':
      return 'command';
  }
}
