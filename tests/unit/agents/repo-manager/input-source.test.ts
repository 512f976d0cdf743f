import { describe, expect, it } from '@jest/globals';
import { requireOwnSubject } from '../../../../src/agents/repo-manager/input-source.ts';
import { InputMessage } from '../../../../src/shared/messages/job-input.ts';
import { subjects } from '../../../../src/shared/messages/subjects.ts';
import { NO_USAGE } from '../../../../src/shared/domain/change.ts';

const jobId = `job-${'0'.repeat(26)}`;
const otherJob = `job-${'1'.repeat(26)}`;
const head = { v: 1, jobId, dispatch: 1, attempt: 1, at: 1 };
const error = { code: 'x', message: 'x', retryable: true };

const started = (taskId: string, agentId: string): InputMessage => InputMessage.parse({ ...head, type: 'TaskStarted', taskId, agentId });
const failed = (taskId: string, agentId: string): InputMessage =>
  InputMessage.parse({ ...head, type: 'TaskFailed', taskId, agentId, error, usage: NO_USAGE });
const reviewed = (taskId: string, agentId: string): InputMessage => {
  const review = { round: 1, headCommit: 'a'.repeat(40), decision: 'APPROVE', summary: 'fine', comments: [] };
  return InputMessage.parse({ ...head, type: 'ReviewResult', taskId, agentId, review, usage: NO_USAGE });
};
const approve = InputMessage.parse({ v: 1, jobId, type: 'ApproveJob', commandId: 'c', at: 1 });

describe('an input', () => {
  it.each([
    ['a coder about its task', started(`${jobId}.implement.1`, 'coder-1'), subjects.input('coder', jobId)],
    ['a reviewer about its task', reviewed(`${jobId}.review.1`, 'reviewer-2'), subjects.input('reviewer', jobId)],
    ['a person', approve, subjects.input('command', jobId)],
  ])('counts by %s', (_who, message, subject) => {
    expect(() => requireOwnSubject(message, subject)).not.toThrow();
  });

  it.each([
    ['a verdict that a coder sends', reviewed(`${jobId}.review.1`, 'reviewer-1'), subjects.input('coder', jobId)],
    ['a verdict on a task of a coder', reviewed(`${jobId}.implement.1`, 'reviewer-1'), subjects.input('reviewer', jobId)],
    ['a verdict in the name of a coder', reviewed(`${jobId}.review.1`, 'coder-1'), subjects.input('reviewer', jobId)],
    ['an approval that a coder sends', approve, subjects.input('coder', jobId)],
    ["a failure of a reviewer's task that a coder sends", failed(`${jobId}.review.1`, 'coder-1'), subjects.input('coder', jobId)],
    ['a report by the subject of another job', started(`${jobId}.implement.1`, 'coder-1'), subjects.input('coder', otherJob)],
    ['a report about the task of another job', started(`${otherJob}.implement.1`, 'coder-1'), subjects.input('coder', jobId)],
  ])('does not count: %s', (_what, message, subject) => {
    expect(() => requireOwnSubject(message, subject)).toThrow(expect.objectContaining({ code: 'wrong_subject' }));
  });
});
