import { PRIORITIES, type Priority } from '../domain/priority.ts';
import type { TaskRole } from '../domain/ids.ts';
import { subjects } from '../messages/subjects.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;

export interface StreamPlan {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'workqueue';
  /** 0: for ever. */
  readonly maxAgeMs: number;
  /** -1: no limit. */
  readonly maxBytes: number;
  readonly maxMessagesPerSubject: number;
  readonly duplicateWindowMs: number;
  readonly about: string;
}

export interface ConsumerPlan {
  readonly stream: string;
  readonly name: string;
  readonly filter: string;
  readonly maxAckPending: number;
  readonly about: string;
}

export interface BucketPlan {
  readonly name: string;
  readonly kind: 'kv' | 'objects';
  readonly ttlMs: number;
  readonly about: string;
}

/** Names of streams and buckets: nobody else spells them. */
export const STREAMS = { requests: 'REQUESTS', inputs: 'INPUTS', tasks: 'TASKS', events: 'EVENTS', logs: 'LOGS', dead: 'DEAD' } as const;
export const BUCKETS = { jobs: 'jobs', open: 'open', claims: 'claims', locks: 'locks', agents: 'agents', bundles: 'bundles' } as const;
export const REPO_MANAGER_CONSUMER = 'repo-manager';

/** What the subjects of a KV bucket begin with (ADR-8 of nats-architecture-and-design). */
export function bucketPrefix(bucket: string): string {
  return `$KV.${bucket}.`;
}

export function taskConsumer(role: TaskRole, priority: Priority): string {
  return `${role}-${priority}`;
}

/** A limits stream of our own; the differences are given. */
const limits = {
  retention: 'limits',
  maxAgeMs: 0,
  maxBytes: -1,
  maxMessagesPerSubject: -1,
  duplicateWindowMs: 2 * 60_000,
} as const;

export const streamPlans: readonly StreamPlan[] = [
  {
    ...limits,
    name: STREAMS.requests,
    subjects: [subjects.requests],
    maxMessagesPerSubject: 1,
    about: 'FeatureRequests, one a job; stored means accepted',
  },
  {
    ...limits,
    name: STREAMS.inputs,
    subjects: [subjects.inputs],
    retention: 'workqueue',
    duplicateWindowMs: HOUR_MS,
    about: "what happened to jobs: agents' reports and people's commands",
  },
  {
    ...limits,
    name: STREAMS.tasks,
    subjects: [subjects.tasks],
    retention: 'workqueue',
    about: 'ImplementationRequests and ReviewRequests',
  },
  { ...limits, name: STREAMS.events, subjects: [subjects.events], maxAgeMs: 30 * DAY_MS, about: 'facts about jobs' },
  { ...limits, name: STREAMS.logs, subjects: [subjects.logs], maxAgeMs: 7 * DAY_MS, maxBytes: 1024 * MIB, about: 'what runners said' },
  {
    ...limits,
    name: STREAMS.dead,
    subjects: [subjects.deadLetters],
    maxAgeMs: 90 * DAY_MS,
    // A server that was killed may give out everything that its queues once had anew (seen with 2.9.10): each message stays one letter.
    duplicateWindowMs: 90 * DAY_MS,
    about: 'messages nobody could handle, with the reason',
  },
];

const ROLES: readonly TaskRole[] = ['coder', 'reviewer'];

export const consumerPlans: readonly ConsumerPlan[] = [
  { stream: STREAMS.requests, name: REPO_MANAGER_CONSUMER, filter: subjects.requests, maxAckPending: 256, about: 'new jobs' },
  { stream: STREAMS.inputs, name: REPO_MANAGER_CONSUMER, filter: subjects.inputs, maxAckPending: 1_000, about: 'inputs of jobs' },
  ...ROLES.flatMap((role) =>
    PRIORITIES.map((priority) => ({
      stream: STREAMS.tasks,
      name: taskConsumer(role, priority),
      filter: subjects.task(role, priority),
      maxAckPending: 10_000,
      about: `${priority} tasks for a ${role}`,
    })),
  ),
];

export const bucketPlans: readonly BucketPlan[] = [
  { name: BUCKETS.jobs, kind: 'kv', ttlMs: 0, about: 'the truth about each job' },
  { name: BUCKETS.open, kind: 'kv', ttlMs: 0, about: 'the jobs that have not ended' },
  { name: BUCKETS.claims, kind: 'kv', ttlMs: 0, about: 'who has which task' },
  { name: BUCKETS.locks, kind: 'kv', ttlMs: 0, about: 'who merges into which base' },
  { name: BUCKETS.agents, kind: 'kv', ttlMs: 15_000, about: 'heartbeats' },
  { name: BUCKETS.bundles, kind: 'objects', ttlMs: 14 * DAY_MS, about: 'git bundles, encrypted' },
];
