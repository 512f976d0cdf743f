import { describe, expect, it } from '@jest/globals';
import { mergeChange } from '../../../../src/agents/repo-manager/effects/merge-change.ts';
import { publishFact } from '../../../../src/agents/repo-manager/effects/publish-fact.ts';
import { revokeTask } from '../../../../src/agents/repo-manager/effects/revoke-task.ts';
import { isTerminal, type Job } from '../../../../src/shared/domain/job.ts';
import { versioned } from '../../../../src/shared/messages/envelope.ts';
import { createBench } from '../../../support/simulation/bench.ts';
import { firstParents } from '../../../support/simulation/forge.ts';
import { after, implementing, merging, stops } from '../../shared/domain/stories.ts';

const FACT = { type: 'PublishEvent', event: { type: 'JobRetried', round: 1 } } as const;

describe('a fact', () => {
  it('is published once, though its effect is tried again when the server has forgotten its id', async () => {
    const { context, server, self, until } = createBench();
    const job: Job = { ...implementing(), createdAt: context.now() };

    await until(publishFact(context, job, 7, FACT));
    await until(self.clock.sleep(3 * 60_000));
    await until(context.bus.publishEvent(job.id, { type: 'JobRetried', round: 2 }, 1, `${job.id}.effect.9`));
    await until(publishFact(context, job, 7, FACT));
    await until(publishFact(context, job, 10, FACT));

    expect([...server.events.messages.values()].map(({ id }) => id.slice(-2))).toEqual(['.7', '.9', '10']);
  });
});

describe('a merge', () => {
  it('is not made by who was paused while the job went on without it', async () => {
    const { context, forge, server, until } = createBench();
    const head = server.commits.make({ parents: [forge.hosted.base], tree: { a: '1' }, message: 'work' }).id;
    forge.mirror.bring(head);
    const stale: Job = { ...merging(), headCommit: head, baseCommit: forge.hosted.base };
    const effect = { type: 'MergeChange', headCommit: head, at: 1 } as const;
    await until(context.store.save(after(stale, stops()), null));
    const before = firstParents(forge);

    await expect(until(mergeChange(context, stale, effect))).rejects.toMatchObject({ code: 'merge_superseded' });

    expect(firstParents(forge)).toEqual(before);
  });
});

describe('a revoked task', () => {
  it('leaves the queue with every copy of it that is known', async () => {
    const { context, server, until } = createBench();
    const job = implementing();
    const task = job.task?.id ?? '';
    const [first, second] = ['a', 'b'].map((id) => server.tasks.store('task.coder.normal', { taskId: task }, id));
    await until(
      context.claims.create(
        task,
        versioned({
          taskId: task,
          dispatch: 1,
          streamSeq: first ?? 0,
          attempt: 1,
          agentId: 'coder-1',
          incarnation: 'x',
          handBacks: 0,
          handedBack: false,
        }),
      ),
    );

    await until(revokeTask(context, job, { type: 'RevokeTask', taskId: task, dispatch: 1, streamSeq: second ?? 0 }));

    expect(server.tasks.messages.size).toBe(0);
    expect(server.claims.entries.size).toBe(0);
  });
});

describe('the list of open jobs', () => {
  it('keeps a job that was reopened from a removal that was decided upon before', async () => {
    const { context, server, self, until } = createBench();
    const cancelled = after(implementing(), stops());
    await until(context.store.save(cancelled, null));
    const seen = server.open.entries.get(cancelled.id);

    await until(context.store.keepOpen(cancelled.id));
    const removed = await until(server.open.of(self).remove(cancelled.id, seen?.revision ?? 0));

    expect(isTerminal(cancelled.status)).toBe(true);
    expect(removed).toBe(false);
    expect(server.open.entries.has(cancelled.id)).toBe(true);
  });
});
