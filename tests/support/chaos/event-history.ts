import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { JobEventMessage } from '../../../src/shared/messages/job-event.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';

/** How often each fact was told, by job and type. */
export async function eventCounts(nc: NatsConnection): Promise<Map<string, Map<string, number>>> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const { state } = await jsm.streams.info(STREAMS.events, { subjects_filter: subjects.events });
  const counts = new Map<string, Map<string, number>>();
  for (const [subject, count] of Object.entries(state.subjects ?? {})) {
    const [, job = '', type = ''] = subject.split('.');
    counts.set(job, (counts.get(job) ?? new Map<string, number>()).set(type, count));
  }
  return counts;
}

export interface StoredEvent {
  readonly job: string;
  readonly type: string;
  /** Of `TaskStarted`. */
  readonly agentId: string | undefined;
  /** When the server stored it (milliseconds since the epoch). */
  readonly at: number;
}

const AT_ONCE = 128;

/** Every fact there is, oldest first. */
export async function readEvents(nc: NatsConnection): Promise<StoredEvent[]> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const { state } = await jsm.streams.info(STREAMS.events);
  const events: StoredEvent[] = [];
  for (let from = state.first_seq; from <= state.last_seq && state.messages > 0; from += AT_ONCE) {
    const seqs = Array.from({ length: Math.min(AT_ONCE, state.last_seq - from + 1) }, (_, n) => from + n);
    const messages = await Promise.all(seqs.map((seq) => jsm.direct.getMessage(STREAMS.events, { seq })));
    for (const message of messages) {
      if (!message) continue;
      const { event, jobId } = JobEventMessage.parse(message.json());
      const agentId = event.type === 'TaskStarted' ? event.agentId : undefined;
      events.push({ job: jobId, type: event.type, agentId, at: message.time.getTime() });
    }
  }
  return events;
}
