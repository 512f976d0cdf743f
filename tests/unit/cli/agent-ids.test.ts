import { describe, expect, it } from '@jest/globals';
import { agentIds } from '../../../src/cli/daemons/numbering.ts';

const counts = { repoManagers: 1, coders: 2, reviewers: 1 };

describe('agentIds', () => {
  it('are numbered from one', () => {
    expect(agentIds(counts)).toEqual(['repo-manager-1', 'coder-1', 'coder-2', 'reviewer-1']);
  });

  it('leave out what other homes use', () => {
    const taken = new Set(['repo-manager-1', 'coder-1', 'coder-3']);

    expect(agentIds({ repoManagers: 0, coders: 3, reviewers: 1 }, [], taken)).toEqual(['coder-2', 'coder-4', 'coder-5', 'reviewer-1']);
  });

  it('keep the numbers they have, though lower ones are free by now', () => {
    const own = ['coder-10', 'coder-7', 'coder-9', 'reviewer-4'];

    expect(agentIds({ repoManagers: 0, coders: 2, reviewers: 2 }, own)).toEqual(['coder-7', 'coder-9', 'reviewer-1', 'reviewer-4']);
  });

  it('give up a number that another home has taken meanwhile', () => {
    expect(agentIds({ repoManagers: 0, coders: 1, reviewers: 0 }, ['coder-2'], new Set(['coder-2']))).toEqual(['coder-1']);
  });
});
