import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../../src/shared/messages/subjects.ts';
import { readStream } from '../../src/shared/messaging/stream-tail.ts';
import { STREAMS } from '../../src/shared/messaging/topology.ts';
import type { CrashSystem, NatsService, SubmittedJob } from './crash/system.ts';

/** Jobs that keep coming, so that a pause shows. */
export interface Load {
  /** All that were submitted so far. */
  readonly jobs: readonly SubmittedJob[];
  /** Submits no more, and gives all of them. */
  stop(): Promise<readonly SubmittedJob[]>;
}

/** Submits a job every `everyMs`; each has a repository of its own, and every third goes through two rounds. */
export function startLoad(system: CrashSystem<NatsService>, everyMs: number): Load {
  const jobs: SubmittedJob[] = [];
  const ended = new AbortController();
  const submitting = (async () => {
    while (!ended.signal.aborted) {
      jobs.push(await system.submit({ rounds: jobs.length % 3 === 2 ? 2 : 1 }));
      await delay(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  return {
    jobs,
    stop: async () => {
      ended.abort();
      await submitting;
      return jobs;
    },
  };
}

/** The moments at which the server stored a fact about a job, in order (milliseconds since the epoch). */
export async function momentsOfProgress(nc: NatsConnection): Promise<number[]> {
  const moments: number[] = [];
  for await (const message of readStream(nc, { stream: STREAMS.events, filter: subjects.events })) moments.push(message.time.getTime());
  return moments;
}

/** The longest time from a moment on in which nothing was stored (milliseconds). */
export function longestPause(moments: readonly number[], since: number): number {
  const later = [since, ...moments.filter((at) => at > since)];
  return Math.max(...later.slice(1).map((at, index) => at - (later[index] ?? at)));
}
