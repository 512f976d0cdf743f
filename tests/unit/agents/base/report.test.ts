import { describe, expect, it } from '@jest/globals';
import { reportIdOf } from '../../../../src/agents/base/report.ts';

describe('the start of a task', () => {
  it('is told again by who takes it up after its claim was removed, though the attempt has the same number', () => {
    const jobId = 'job-00000000000000000000000001';
    const start = {
      v: 1,
      type: 'TaskStarted',
      jobId,
      taskId: `${jobId}.implement.1`,
      dispatch: 1,
      attempt: 1,
      agentId: 'coder-1',
    } as const;

    expect(reportIdOf({ ...start, at: 5 })).toBe(reportIdOf({ ...start, at: 5 }));
    expect(reportIdOf({ ...start, at: 5 })).not.toBe(reportIdOf({ ...start, at: 6 }));
  });
});
