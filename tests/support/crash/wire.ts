import type { NatsConnection } from '@nats-io/transport-node';
import type { Effect } from '../../../src/shared/domain/effect.ts';
import type { Job } from '../../../src/shared/domain/job.ts';
import { BUCKETS } from '../../../src/shared/messaging/topology.ts';
import type { Hooks } from './armed-point.ts';

/** The one method through which acknowledgements of a consumer go; it is no part of the client's public face. */
interface Sending {
  readonly protocol: { publish: (subject: string, data?: unknown, options?: unknown) => void };
}

/**
 * Tells the hooks of all that this connection changes on the server: claims, records, reports, tasks, locks, acknowledgements.
 * It sits where everything passes, so that no writing call can be forgotten.
 */
export function watchConnection(nc: NatsConnection, hooks: Hooks): NatsConnection {
  const request = nc.request.bind(nc);
  const effects = watchEffects(hooks);
  nc.request = async (subject, payload, options) => {
    const data = textOf(payload);
    const call = callOf(subject, data);
    const job = subject.startsWith(`$KV.${BUCKETS.jobs}.`) ? (JSON.parse(data) as Job) : undefined;
    if (job) effects.saving(job);
    if (call !== null) hooks.hit('before', call);
    const answer = await request(subject, payload, options);
    if (call !== null) hooks.hit('after', call);
    if (job) effects.saved(job);
    return answer;
  };
  watchAcks(nc as unknown as Sending, hooks);
  return nc;
}

/** The name of a writing request; null for one that only reads, or matters to nobody (heartbeats). */
function callOf(subject: string, data: string): string | null {
  const tokens = subject.split('.');
  if (subject.startsWith('$KV.')) {
    const bucket = tokens[1] ?? '';
    if (bucket === BUCKETS.agents) return null;
    const handsBack = bucket === BUCKETS.claims && data.includes('"handedBack":true');
    return `put ${bucket}${handsBack ? ' handback' : ''}`;
  }
  if (subject.startsWith('$JS.API.STREAM.MSG.DELETE.')) return `delete ${tokens.at(-1) ?? ''}`;
  if (subject.startsWith('$JS.ACK.')) return 'ack';
  if (tokens[0] === 'input') return `publish ${(JSON.parse(data) as { type: string }).type}`;
  if (tokens[0] === 'task') return `publish task.${tokens[1] ?? ''}`;
  if (tokens[0] === 'event') return `publish event.${tokens[2] ?? ''}`;
  return null;
}

/** A consumer's acknowledgement does not go through `request`; nobody hears when it has arrived. */
function watchAcks(nc: Sending, hooks: Hooks): void {
  const publish = nc.protocol.publish.bind(nc.protocol);
  nc.protocol.publish = (subject, data, options) => {
    if (subject.startsWith('$JS.ACK.') && textOf(data) === '+ACK') hooks.hit('before', 'send ack');
    if (subject.startsWith('$JS.ACK.') && textOf(data).startsWith('-NAK')) hooks.hit('before', 'send nak');
    publish(subject, data, options);
    if (subject.startsWith('$JS.ACK.') && textOf(data).startsWith('-NAK')) hooks.hit('after', 'send nak');
  };
}

/** Effects come and go with the job's record: what a record has that the one before it had not is demanded, the reverse is done. */
function watchEffects(hooks: Hooks): { saving(job: Job): void; saved(job: Job): void } {
  const known = new Map<string, Map<number, string>>();
  const pendingOf = (job: Job): Map<number, string> => new Map(job.pending.map(({ id, effect }) => [id, effectName(effect)]));
  const gone = (job: Job): string[] => [...(known.get(job.id) ?? [])].filter(([id]) => !pendingOf(job).has(id)).map(([, name]) => name);
  return {
    saving: (job) => {
      for (const name of gone(job)) hooks.hit('done', name);
    },
    saved: (job) => {
      for (const name of gone(job)) hooks.hit('recorded', name);
      const before = known.get(job.id);
      known.set(job.id, pendingOf(job));
      for (const [id, name] of pendingOf(job)) if (before?.has(id) !== true) hooks.hit('before', name);
    },
  };
}

function effectName(effect: Effect): string {
  if (effect.type === 'SendTask') return `effect SendTask.${effect.role}.${effect.round}`;
  if (effect.type === 'PublishEvent') return `effect PublishEvent.${effect.event.type}`;
  if (effect.type === 'ProposeChange') return `effect ProposeChange.${effect.previousHead === null ? 'first' : 'again'}`;
  return `effect ${effect.type}`;
}

function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  return data instanceof Uint8Array ? new TextDecoder().decode(data) : '';
}
