import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstreamManager,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { Objm } from '@nats-io/obj';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { TerminalError } from '../errors/errors.ts';
import { type Identity, topologyFor } from './permissions.ts';
import { isUnanswered } from './unanswered.ts';
import { copiesUpToDate, replicasFor, withReplicas } from './replicas.ts';
import { type BucketPlan, bucketPlans, type ConsumerPlan, consumerPlans, type StreamPlan, streamPlans } from './topology.ts';

export interface TopologySettings {
  /** How long a message may go without a sign of life before it is delivered again (milliseconds). Default 10,000. */
  readonly ackWaitMs?: number;
  /** Copies of each stream and bucket. Default: as many as there are; of new ones three on a cluster, one on a server by itself. */
  readonly replicas?: number | undefined;
}

export interface TopologyDifference {
  readonly what: string;
  readonly field: string;
  readonly wanted: unknown;
  readonly found: unknown;
}

const DEFAULT_ACK_WAIT_MS = 10_000;
const ANSWERED_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 250;
/** Our own code counts deliveries (see docs/decisions): at the server's limit a message would stay behind, unseen. */
const UNLIMITED = -1;

/** JetStream's code for "no such stream" and "no such consumer". */
const NOT_FOUND: readonly number[] = [10059, 10014];

/**
 * Makes whatever is missing, brings what differs in line, and reads all of it back: an older server ignores what it does not know.
 *
 * @throws InvalidInputError `replicas_not_possible` where the server can't keep that many copies
 */
export async function provisionTopology(nc: NatsConnection, settings: TopologySettings = {}): Promise<void> {
  const jsm = await jetstreamManager(nc);
  for (const plan of streamPlans) await patiently(() => ensureStream(nc, jsm, plan, settings));
  for (const plan of bucketPlans) await patiently(() => ensureBucket(nc, jsm, plan, settings));
  for (const plan of consumerPlans) await patiently(() => ensureConsumer(jsm, plan, settings));
  await requireTopology(nc, settings);
}

/** A cluster that has just started, or has lost a node, may leave a question unanswered; all of this may be asked again. */
async function patiently(ensure: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + ANSWERED_WITHIN_MS;
  for (;;) {
    try {
      await ensure();
      return;
    } catch (error) {
      if (!isUnanswered(error) || performance.now() > deadline) throw error;
    }
    await delay(ASK_AGAIN_MS);
  }
}

/**
 * What is there other than planned; empty when all is well. Settings that are not given are not compared: how patient the
 * queues are, and how many copies there are, is for the one who provisions to say.
 *
 * @param identity who asks; agents see only what they need. Default: who sees everything
 */
export async function compareTopology(
  nc: NatsConnection,
  settings: TopologySettings = {},
  identity: Identity = 'operator',
): Promise<TopologyDifference[]> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const { streams, buckets, consumers } = topologyFor(identity);
  const differences = await Promise.all([
    ...streams.map((plan) => compareStream(jsm, plan.name, { ...wantedStream(plan), ...wantedReplicas(settings) })),
    ...buckets.map((plan) => compareStream(jsm, bucketStream(plan), { ...wantedBucket(plan), ...wantedReplicas(settings) })),
    ...consumers.map((plan) => compareConsumer(jsm, plan, settings)),
  ]);
  return differences.flat();
}

/** @throws TerminalError `topology_differs` naming every difference and what to do */
export async function requireTopology(nc: NatsConnection, settings: TopologySettings = {}, identity?: Identity): Promise<void> {
  const differences = await compareTopology(nc, settings, identity);
  if (differences.length === 0) return;
  const lines = differences.map(
    ({ what, field, wanted, found }) => `${what}: ${field} is ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`,
  );
  throw new TerminalError('topology_differs', `NATS is not set up as needed; run "multi-agent topology --apply".\n${lines.join('\n')}`, {
    details: { differences },
  });
}

/**
 * The streams and buckets of which fewer copies are up to date than there should be: a node is down, or has not caught up yet.
 * That harms nothing as long as most copies are there, so it is for people to see, and no reason to refuse to work.
 */
export async function missingCopies(nc: NatsConnection): Promise<TopologyDifference[]> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const names = [...streamPlans.map(({ name }) => name), ...bucketPlans.map(bucketStream)];
  const infos = (await Promise.all(names.map((name) => orNull(jsm.streams.info(name))))).filter((info) => info !== null);
  return infos.flatMap((info) => {
    const [wanted, found] = [info.config.num_replicas, copiesUpToDate(info)];
    return found < wanted ? [{ what: `stream ${info.config.name}`, field: 'copies up to date', wanted, found }] : [];
  });
}

async function ensureStream(nc: NatsConnection, jsm: JetStreamManager, plan: StreamPlan, settings: TopologySettings): Promise<void> {
  const found = await orNull(jsm.streams.info(plan.name));
  const replicas = replicasFor(nc, settings.replicas, found?.config.num_replicas);
  const config = { ...wantedStream(plan), num_replicas: replicas };
  await withReplicas(nc, replicas, async () => {
    if (!found) await jsm.streams.add({ name: plan.name, ...config });
    else if (found.config.retention === config.retention) await jsm.streams.update(plan.name, config);
  });
}

async function ensureBucket(nc: NatsConnection, jsm: JetStreamManager, plan: BucketPlan, settings: TopologySettings): Promise<void> {
  const found = await orNull(jsm.streams.info(bucketStream(plan)));
  const replicas = replicasFor(nc, settings.replicas, found?.config.num_replicas);
  await withReplicas(nc, replicas, async () => {
    if (!found && plan.kind === 'kv') {
      await new Kvm(nc).create(plan.name, { history: 1, ttl: plan.ttlMs, replicas, storage: StorageType.File });
    } else if (!found) {
      await new Objm(nc).create(plan.name, { ttl: nanos(plan.ttlMs), replicas, storage: StorageType.File });
    }
    await jsm.streams.update(bucketStream(plan), { ...wantedBucket(plan), num_replicas: replicas });
  });
}

async function ensureConsumer(jsm: JetStreamManager, plan: ConsumerPlan, settings: TopologySettings): Promise<void> {
  const found = await orNull(jsm.consumers.info(plan.stream, plan.name));
  const config = {
    ack_wait: nanos(settings.ackWaitMs ?? DEFAULT_ACK_WAIT_MS),
    max_ack_pending: plan.maxAckPending,
    max_deliver: UNLIMITED,
  };
  if (found) {
    await jsm.consumers.update(plan.stream, plan.name, config);
    return;
  }
  await jsm.consumers.add(plan.stream, {
    ...config,
    durable_name: plan.name,
    filter_subject: plan.filter,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
  });
}

/** What matters of a bucket's stream, beside what the client makes of it. */
function wantedBucket({ kind, ttlMs }: BucketPlan) {
  return {
    max_age: nanos(ttlMs),
    // A roll-up is a deletion of everything else by whoever may write anything: one header on one's own heartbeat would do.
    allow_rollup_hdrs: false,
    allow_direct: kind === 'kv',
  };
}

function wantedStream(plan: StreamPlan) {
  return {
    subjects: [...plan.subjects],
    retention: plan.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: nanos(plan.maxAgeMs),
    max_bytes: plan.maxBytes,
    max_msgs_per_subject: plan.maxMessagesPerSubject,
    duplicate_window: nanos(plan.duplicateWindowMs),
    discard: DiscardPolicy.Old,
    allow_direct: true,
  };
}

function wantedReplicas({ replicas }: TopologySettings): { num_replicas?: number } {
  return replicas === undefined ? {} : { num_replicas: replicas };
}

async function compareStream(jsm: JetStreamManager, name: string, wanted: Record<string, unknown>): Promise<TopologyDifference[]> {
  const info = await orNull(jsm.streams.info(name));
  return info ? differencesOf(`stream ${name}`, wanted, info.config) : [missing(`stream ${name}`)];
}

async function compareConsumer(jsm: JetStreamManager, plan: ConsumerPlan, { ackWaitMs }: TopologySettings): Promise<TopologyDifference[]> {
  const what = `consumer ${plan.name} of ${plan.stream}`;
  const info = await orNull(jsm.consumers.info(plan.stream, plan.name));
  if (!info) return [missing(what)];
  const wanted = {
    filter_subject: plan.filter,
    max_ack_pending: plan.maxAckPending,
    ack_policy: AckPolicy.Explicit,
    max_deliver: UNLIMITED,
    ...(ackWaitMs === undefined ? {} : { ack_wait: nanos(ackWaitMs) }),
  };
  return differencesOf(what, wanted, info.config);
}

function differencesOf(what: string, wanted: Record<string, unknown>, found: object): TopologyDifference[] {
  const actual = found as Record<string, unknown>;
  return Object.entries(wanted)
    .filter(([field, value]) => JSON.stringify(actual[field] ?? zeroOf(value)) !== JSON.stringify(value))
    .map(([field, value]) => ({ what, field, wanted: value, found: actual[field] }));
}

/** The server leaves out what is zero. */
function zeroOf(value: unknown): unknown {
  return typeof value === 'number' ? 0 : typeof value === 'boolean' ? false : undefined;
}

function missing(what: string): TopologyDifference {
  return { what, field: 'existence', wanted: 'present', found: 'missing' };
}

function bucketStream({ name, kind }: BucketPlan): string {
  return kind === 'kv' ? `KV_${name}` : `OBJ_${name}`;
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && NOT_FOUND.includes(error.code)) return null;
    throw error;
  }
}
