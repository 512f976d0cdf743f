import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { ulid } from 'ulid';
import { PRIORITIES } from '../../../src/shared/domain/priority.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { BUCKETS, bucketPrefix, REPO_MANAGER_CONSUMER, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { examples } from '../../unit/shared/messages/examples.ts';
import { malformed } from './malformed.ts';

/** Somewhere that a daemon reads from, and what should be there. */
export interface Target {
  readonly name: string;
  readonly subject: (jobId: string) => string;
  readonly examples: readonly string[];
  /** `stored`: acknowledged by the server; `asked`: somebody answers; `said`: nobody does. */
  readonly how: 'stored' | 'asked' | 'said';
}

const taskIdOf = (jobId: string): string => `${jobId}.implement.1`;
const REPORTS = ['TaskStarted', 'ImplementationResult', 'ReviewResult', 'TaskFailed', 'UsageReported'];
const COMMANDS = ['StopJob', 'ApproveJob', 'RejectJob', 'RetryJob'];

/** Every subject a daemon listens to, and every bucket it reads records from. What is added to the topology is added here. */
export const TARGETS: readonly Target[] = [
  { name: 'requests', subject: subjects.request, examples: ['FeatureRequest'], how: 'stored' },
  ...(['coder', 'reviewer', 'command', 'forge', 'clock'] as const).map((source) => ({
    name: `inputs of ${source}`,
    subject: (jobId: string) => subjects.input(source, jobId),
    examples: [...REPORTS, ...COMMANDS],
    how: 'stored' as const,
  })),
  ...(['coder', 'reviewer'] as const).flatMap((role) =>
    PRIORITIES.map((priority) => ({
      name: `${priority} tasks of the ${role}`,
      subject: () => subjects.task(role, priority),
      examples: ['ImplementationRequest', 'ReviewRequest'],
      how: 'stored' as const,
    })),
  ),
  { name: 'bundle requests', subject: () => subjects.bundleNeed, examples: ['BundleNeed'], how: 'asked' },
  { name: 'cancellations', subject: (jobId) => subjects.cancel(taskIdOf(jobId)), examples: ['Claim'], how: 'said' },
  { name: 'wake-ups', subject: () => subjects.wake('coder'), examples: ['Claim'], how: 'said' },
  { name: 'claims', subject: (jobId) => `${bucketPrefix(BUCKETS.claims)}${taskIdOf(jobId)}`, examples: ['Claim'], how: 'stored' },
  { name: 'heartbeats', subject: () => `${bucketPrefix(BUCKETS.agents)}coder-9`, examples: ['Heartbeat'], how: 'stored' },
  { name: 'locks', subject: (jobId) => `${bucketPrefix(BUCKETS.locks)}app.${jobId}`, examples: ['Lock'], how: 'stored' },
  { name: 'records', subject: (jobId) => `${bucketPrefix(BUCKETS.jobs)}${jobId}`, examples: ['Job'], how: 'stored' },
  { name: 'open jobs', subject: (jobId) => `${bucketPrefix(BUCKETS.open)}${jobId}`, examples: ['Lock'], how: 'stored' },
];

const AT_ONCE = 100;

/** Sends `count` malformed messages, spread over all targets. The same seed sends the same payloads. */
export async function flood(nc: NatsConnection, count: number, seed: number): Promise<void> {
  const perTarget = Math.ceil(count / TARGETS.length);
  const js = jetstream(nc);
  for (const [index, target] of TARGETS.entries()) {
    const payloads = fc.sample(malformed(target.examples.map((name) => examples[name] ?? {})), { numRuns: perTarget, seed: seed + index });
    for (let at = 0; at < payloads.length; at += AT_ONCE) {
      await Promise.all(payloads.slice(at, at + AT_ONCE).map((payload) => send(nc, js, target, payload)));
    }
  }
  await nc.flush();
}

async function send(nc: NatsConnection, js: ReturnType<typeof jetstream>, target: Target, payload: Uint8Array): Promise<void> {
  const subject = target.subject(`job-${ulid()}`);
  switch (target.how) {
    case 'stored':
      await js.publish(subject, payload);
      return;
    case 'asked':
      await nc.request(subject, payload, { timeout: 20_000 });
      return;
    case 'said':
      nc.publish(subject, payload);
  }
}

/** Messages of the queues that daemons work off which are not settled. */
export async function unsettled(nc: NatsConnection): Promise<number> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const [inputs, tasks] = await Promise.all([jsm.streams.info(STREAMS.inputs), jsm.streams.info(STREAMS.tasks)]);
  const requests = await jsm.consumers.info(STREAMS.requests, REPO_MANAGER_CONSUMER);
  return inputs.state.messages + tasks.state.messages + requests.num_pending + requests.num_ack_pending;
}
