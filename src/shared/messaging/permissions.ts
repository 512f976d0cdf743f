import { type AgentId, AgentRole, taskIdsOf, type TaskRole } from '../domain/ids.ts';
import { PRIORITIES } from '../domain/priority.ts';
import { type InputSource, subjects } from '../messages/subjects.ts';
import { api } from './api-subjects.ts';
import { BUNDLE_STREAM, chunksOfWriter } from './bundle-subjects.ts';
import {
  type BucketPlan,
  bucketPlans,
  bucketPrefix,
  BUCKETS,
  type ConsumerPlan,
  consumerPlans,
  REPO_MANAGER_CONSUMER,
  STREAMS,
  type StreamPlan,
  streamPlans,
  taskConsumer,
} from './topology.ts';

/**
 * Who somebody is on NATS: `provisioner`, `operator`, or an agent's id. `provisioner` makes and changes streams, consumers and buckets, and does nothing else; `operator` is a
 * person at the CLI; everybody else is one agent. A user each, not one a role: two coders with one user could hear each other's answers.
 */
export type Identity = string;

/** What one identity may do. Whatever is not here, it may not. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** May it answer a request that it was sent, once and within two minutes? */
  readonly answers: boolean;
}

const INPUT_SOURCES: readonly InputSource[] = ['coder', 'reviewer', 'command', 'forge', 'clock'];
/** The facts that an agent tells of itself; all others are the repo-manager's to tell. */
const FACTS_OF_AGENTS = ['TaskStarted', 'TryFailed'];
const ANY = '*';

/** Below which each identity gets its answers: nobody can listen to another's. */
export function inboxPrefixOf(identity: Identity): string {
  return `_INBOX_${identity}`;
}

/** Whether this is an agent that takes tasks, and so stands in an account of its own. */
export function takesTasks(identity: Identity): boolean {
  const role = roleOf(identity);
  return role === 'coder' || role === 'reviewer';
}

export function permissionsOf(identity: Identity): Permissions {
  const inbox = `${inboxPrefixOf(identity)}.>`;
  const role = roleOf(identity);
  if (identity === 'provisioner') return { publish: provisioning(), subscribe: [inbox], answers: false };
  if (identity === 'operator') return { publish: operating(), subscribe: [inbox], answers: false };
  if (role === 'repo-manager') return { publish: managing(identity), subscribe: [inbox, subjects.bundleNeed], answers: true };
  if (role === undefined) throw new Error(`${identity} is no identity`);
  return { publish: working(identity, role), subscribe: [inbox, ...heardBy(role)], answers: false };
}

/** The part of the topology that somebody may look at. */
export interface VisibleTopology {
  readonly streams: readonly StreamPlan[];
  readonly buckets: readonly BucketPlan[];
  readonly consumers: readonly ConsumerPlan[];
}

/** Agents see where their tasks and claims lie, everybody else sees all. */
export function topologyFor(identity: Identity): VisibleTopology {
  const role = roleOf(identity);
  if (role !== 'coder' && role !== 'reviewer') return { streams: streamPlans, buckets: bucketPlans, consumers: consumerPlans };
  return {
    streams: streamPlans.filter(({ name }) => name === STREAMS.tasks),
    buckets: bucketPlans.filter(({ name }) => name === BUCKETS.claims),
    consumers: consumerPlans.filter(({ filter }) => PRIORITIES.some((priority) => filter === subjects.task(role, priority))),
  };
}

/** What the repo-manager says, as core messages, to the agents of a role. */
export function heardBy(role: TaskRole): string[] {
  return [subjects.wake(role), subjects.cancel(taskIdsOf(role))];
}

function roleOf(identity: Identity): AgentRole | undefined {
  return AgentRole.safeParse(identity.replace(/-\d+$/, '')).data;
}

/** An agent's own, with what it needs to see whether its part of the topology is there. */
function working(agentId: AgentId, role: TaskRole): string[] {
  const queues = PRIORITIES.map((priority) => taskConsumer(role, priority));
  return [
    // Tasks: taken from the queues of its role, and answered.
    ...queues.flatMap((queue) => [api.pull(STREAMS.tasks, queue), api.acks(STREAMS.tasks, queue)]),
    // What else there is in them, to others who idle.
    subjects.wake(role),
    ...comparing(agentId),
    // Reports, facts, logs, dead letters.
    subjects.input(role, ANY),
    ...FACTS_OF_AGENTS.map((type) => subjects.event(ANY, type)),
    subjects.log(ANY, taskIdsOf(role)),
    subjects.dead(role),
    // Claims on the tasks of its role, and whether a job is still open.
    ...readAndWrite(BUCKETS.claims, taskIdsOf(role)),
    read(BUCKETS.open),
    // Its own heartbeat; the others' say which numbers are taken.
    ...readAndWrite(BUCKETS.agents, agentId),
    api.streamInfo(streamOf(BUCKETS.agents)),
    // Bundles: everybody's are read, for they are encrypted; its own are written.
    api.messageGet(BUNDLE_STREAM),
    chunksOfWriter(agentId),
    subjects.bundleNeed,
  ];
}

function managing(agentId: AgentId): string[] {
  return [
    ...comparing(agentId),
    ...[STREAMS.requests, STREAMS.inputs].flatMap((stream) => [
      api.pull(stream, REPO_MANAGER_CONSUMER),
      api.acks(stream, REPO_MANAGER_CONSUMER),
    ]),
    // A job's request; whether a task is still there, and a fact was told; what was acknowledged long ago, and is removed.
    ...[STREAMS.requests, STREAMS.tasks, STREAMS.events].map(api.messageGet),
    ...[STREAMS.tasks, STREAMS.inputs].map(api.directGet),
    ...[STREAMS.tasks, STREAMS.inputs].map(api.messageDelete),
    ...[BUCKETS.jobs, BUCKETS.open, BUCKETS.claims, BUCKETS.locks].map(read),
    ...[BUCKETS.open, BUCKETS.claims, BUCKETS.locks].map((bucket) => api.messageDelete(streamOf(bucket))),
    ...[BUCKETS.jobs, BUCKETS.open, BUCKETS.locks].map((bucket) => `${bucketPrefix(bucket)}>`),
    ...readAndWrite(BUCKETS.agents, agentId),
    ...TASK_ROLES.flatMap((role) => [subjects.tasksFor(role), subjects.wake(role)]),
    subjects.cancel('>'),
    subjects.event(ANY, ANY),
    subjects.dead('repo-manager'),
    api.messageGet(BUNDLE_STREAM),
    api.streamPurge(BUNDLE_STREAM),
    chunksOfWriter(agentId),
  ];
}

function operating(): string[] {
  const followed = [STREAMS.events, STREAMS.logs];
  return [
    ...comparing('operator'),
    subjects.requests,
    subjects.input('command', ANY),
    // `dead retry` sends a message where it was meant to go.
    ...INPUT_SOURCES.filter((source) => source !== 'command').map((source) => subjects.input(source, ANY)),
    ...TASK_ROLES.map(subjects.tasksFor),
    api.messageGet(STREAMS.requests),
    ...[STREAMS.requests, STREAMS.dead].map(api.directGet),
    api.messageDelete(STREAMS.dead),
    ...[BUCKETS.jobs, BUCKETS.open, BUCKETS.claims, BUCKETS.agents].map(read),
    // `gc` removes the claims of jobs that have ended.
    api.messageDelete(streamOf(BUCKETS.claims)),
    // `--watch`, `--follow` and `logs` read along with consumers that go by themselves.
    ...followed.flatMap((stream) => [
      api.consumerCreate(stream, '>'),
      api.consumerInfo(stream, ANY),
      api.consumerDelete(stream, ANY),
      api.pull(stream, ANY),
    ]),
  ];
}

function provisioning(): string[] {
  return [
    ...comparing('provisioner'),
    api.accountInfo,
    ...allStreams().flatMap((stream) => [api.streamCreate(stream), api.streamUpdate(stream)]),
    ...consumerPlans.flatMap(({ stream, name, filter }) => [
      api.durableCreate(stream, name),
      api.consumerCreate(stream, name),
      api.consumerCreate(stream, `${name}.${filter}`),
    ]),
  ];
}

/** What it takes to see whether NATS is set up as needed. */
function comparing(identity: Identity): string[] {
  const { streams, buckets, consumers } = topologyFor(identity);
  return [
    ...streams.map(({ name }) => api.streamInfo(name)),
    ...buckets.map(({ name }) => api.streamInfo(streamOf(name))),
    ...consumers.map(({ stream, name }) => api.consumerInfo(stream, name)),
  ];
}

const TASK_ROLES: readonly TaskRole[] = ['coder', 'reviewer'];

function readAndWrite(bucket: string, key: string): string[] {
  return [read(bucket), `${bucketPrefix(bucket)}${key}`];
}

/** From the leader, for a follower may lag. No key can be excepted: what an agent may read of a bucket at all holds no secret. */
function read(bucket: string): string {
  return api.messageGet(streamOf(bucket));
}

function streamOf(bucket: string): string {
  return bucket === BUCKETS.bundles ? BUNDLE_STREAM : `KV_${bucket}`;
}

function allStreams(): string[] {
  return [...streamPlans.map(({ name }) => name), ...bucketPlans.map(({ name }) => streamOf(name))];
}
