import type { TaskRole } from '../../../src/shared/domain/ids.ts';
import type { Job } from '../../../src/shared/domain/job.ts';
import type { Claim, Lock } from '../../../src/shared/messages/agent.ts';
import { streamPlans, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { createStoredBundles } from './bundles.ts';
import { createAllCommits } from './code.ts';
import { createStoredBucket, createStoredConsumer, createStoredStream, type StoredStream } from './nats.ts';
import type { Timeline } from './timeline.ts';

export type Server = ReturnType<typeof createServer>;

/** What lies on the nats-server, by the names and windows of the real topology. */
export function createServer(
  timeline: Timeline,
  tell: (line: string) => void,
  onJob: (before: Job | undefined, after: Job | undefined) => void,
  onClosed: (job: Job | undefined) => void,
) {
  const streamOf = (name: string): StoredStream =>
    createStoredStream(timeline, name, streamPlans.find((plan) => plan.name === name)?.duplicateWindowMs ?? 0);
  const requests = streamOf(STREAMS.requests);
  const inputs = streamOf(STREAMS.inputs);
  const tasks = streamOf(STREAMS.tasks);
  const consumerOf = (role: TaskRole) => createStoredConsumer(timeline, tasks, (subject) => subject.split('.')[1] === role);
  const jobs = createStoredBucket<Job>('jobs', (_key, before, after) => {
    onJob(before, after);
  });
  return {
    tell,
    requests,
    inputs,
    tasks,
    events: streamOf(STREAMS.events),
    dead: streamOf(STREAMS.dead),
    requestConsumer: createStoredConsumer(timeline, requests, () => true),
    inputConsumer: createStoredConsumer(timeline, inputs, () => true),
    taskConsumers: { coder: consumerOf('coder'), reviewer: consumerOf('reviewer') },
    jobs,
    open: createStoredBucket<{ v: 1; id: string }>('open', (key, _before, after) => {
      if (after === undefined) onClosed(jobs.entries.get(key)?.value);
    }),
    claims: createStoredBucket<Claim>('claims'),
    locks: createStoredBucket<Lock>('locks'),
    bundles: createStoredBundles(),
    commits: createAllCommits(),
  };
}
