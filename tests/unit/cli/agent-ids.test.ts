import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentIds, idsOfOtherHomes } from '../../../src/cli/daemons/numbering.ts';
import { ensureHome } from '../../../src/shared/config/home.ts';

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

describe('the ids of other homes', () => {
  it('are none where the server has no credential yet, as in a new home', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'multi-agent-ids-'));
    const paths = await ensureHome(join(folder, 'home'));

    const ids = await idsOfOtherHomes({ url: 'nats://127.0.0.1:4222', nkeyFile: paths.natsSeed, source: 'default', embedded: true }, paths);

    expect([...ids]).toEqual([]);
    await rm(folder, { recursive: true, force: true });
  });
});
