import { describe, expect, it, jest } from '@jest/globals';
import { createOtherHomes } from '../../../../src/agents/repo-manager/other-homes.ts';
import type { Heartbeat } from '../../../../src/shared/messages/agent.ts';
import type { Bucket } from '../../../../src/shared/messaging/bucket.ts';

const JOB = 'job-00000000000000000000000001';

function homesWith(...beats: Partial<Heartbeat>[]) {
  const all = async () => beats.map((value) => ({ key: value.agentId ?? '', value: value as Heartbeat, revision: 1 }));
  return createOtherHomes({ agents: { all } as unknown as Bucket<Heartbeat>, host: 'home-a' });
}

describe('a job whose repository is not here', () => {
  it('is left for the repo-manager of another home', async () => {
    expect(await homesWith({ role: 'repo-manager', host: 'home-b' }).mayTake(JOB)).toBe(true);
  });

  it('is nobody else’s where the others are of this home, or are no repo-managers', async () => {
    expect(await homesWith({ role: 'repo-manager', host: 'home-a' }, { role: 'coder', host: 'b' }).mayTake(JOB)).toBe(false);
  });

  it('is left for half a minute, and no longer', async () => {
    const homes = homesWith({ role: 'repo-manager', host: 'home-b' });
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    await homes.mayTake(JOB);

    clock.mockReturnValue(31_000);
    const inTime = await homes.mayTake(JOB);
    clock.mockReturnValue(31_001);
    const tooLate = await homes.mayTake(JOB);
    clock.mockRestore();

    expect([inTime, tooLate]).toEqual([true, false]);
  });
});
