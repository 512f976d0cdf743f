import type { JobInput } from '../../shared/domain/input.ts';
import type { FeatureRequest } from '../../shared/messages/feature-request.ts';
import type { InputMessage } from '../../shared/messages/job-input.ts';

export function inputOfRequest(request: FeatureRequest, at: number): JobInput {
  const { jobId, priority, repository, branch, feature, workflow, key, submittedAt } = request;
  return { type: 'FeatureRequested', request: { jobId, priority, repository, branch, feature, workflow, key, submittedAt }, at };
}

/**
 * What a message means to the state machine.
 *
 * @param at our own moment: an agent's clock may be wrong
 * @param seq where the message lies in INPUTS
 */
export function inputOf(message: InputMessage, at: number, seq: number): JobInput {
  switch (message.type) {
    case 'TaskStarted':
      return { type: 'TaskStarted', ...attemptOf(message), agentId: message.agentId, at };
    case 'ImplementationResult':
      return {
        type: 'ImplementationFinished',
        ...attemptOf(message),
        bundle: message.bundle,
        startCommit: message.startCommit,
        headCommit: message.headCommit,
        summary: message.summary,
        commits: message.commits,
        filesChanged: message.filesChanged,
        checks: message.checks,
        usage: message.usage,
        at,
      };
    case 'ReviewResult':
      return { type: 'ReviewFinished', ...attemptOf(message), review: message.review, usage: message.usage, at };
    case 'TaskFailed':
      return {
        type: 'TaskFailed',
        ...attemptOf(message),
        error: message.error,
        usage: message.usage,
        checks: message.checks,
        work: message.work,
        at,
      };
    case 'UsageReported':
      return { type: 'UsageReported', ...attemptOf(message), usage: message.usage, at };
    case 'StopJob':
      return { type: 'StopRequested', commandId: message.commandId, seq, at };
    case 'ApproveJob':
      return { type: 'ApproveRequested', commandId: message.commandId, headCommit: message.headCommit, seq, at };
    case 'RejectJob':
      return {
        type: 'RejectRequested',
        commandId: message.commandId,
        headCommit: message.headCommit,
        comment: message.comment,
        seq,
        at,
      };
    case 'RetryJob':
      return { type: 'RetryRequested', commandId: message.commandId, seq, at };
  }
}

function attemptOf({ taskId, dispatch, attempt }: { taskId: string; dispatch: number; attempt: number }) {
  return { taskId, dispatch, attempt };
}
