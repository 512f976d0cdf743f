import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { WRONG_LAST_SEQUENCE } from './publish.ts';
import { consumerPlans, STREAMS } from './topology.ts';

/**
 * Has the numbers of TASKS go on behind those that its consumers know. A server that was killed after its disk was full may come back with a
 * stream that has forgotten its newest messages, while its consumers have not (seen with 2.9.10: 160 numbers). What is stored then gets
 * numbers that have been given out before, and nobody is ever given it.
 *
 * The numbers are taken by empty messages, each below the last that the consumer of its subject was given: nobody is given those either. What
 * else lies among them is found by the jobs' records, and sent out again.
 *
 * @returns how many numbers were skipped
 */
export async function skipNumbersGivenOut(jsm: JetStreamManager): Promise<number> {
  const plans = consumerPlans.filter(({ stream }) => stream === STREAMS.tasks);
  const consumers = await Promise.all(
    plans.map(async ({ stream, name, filter }) => ({ filter, given: (await jsm.consumers.info(stream, name)).delivered.stream_seq })),
  );
  const ahead = consumers.reduce((one, other) => (other.given > one.given ? other : one), { filter: '', given: 0 });
  // Asked for after the consumers: a server in order is never found behind them.
  let last = await lastNumber(jsm);
  let skipped = 0;
  while (last < ahead.given) {
    const taken = await takeNumber(jsm, ahead.filter, last);
    if (taken) skipped += 1;
    last = taken ? last + 1 : await lastNumber(jsm);
  }
  return skipped;
}

/** @returns whether the number behind `last` was taken by this, and by nobody else meanwhile */
async function takeNumber(jsm: JetStreamManager, subject: string, last: number): Promise<boolean> {
  try {
    await jsm.jetstream().publish(subject, '', { expect: { lastSequence: last } });
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return false;
    throw error;
  }
}

async function lastNumber(jsm: JetStreamManager): Promise<number> {
  return (await jsm.streams.info(STREAMS.tasks)).state.last_seq;
}
