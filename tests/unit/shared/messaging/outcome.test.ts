import { describe, expect, it } from '@jest/globals';
import { TimeoutError } from '@nats-io/transport-node';
import { InterruptedError, RetryableError, TerminalError } from '../../../../src/shared/errors/errors.ts';
import { handleDelivery } from '../../../../src/shared/messaging/consume.ts';
import type { Delivery } from '../../../../src/shared/messaging/delivery.ts';
import { createFailureCount } from '../../../../src/shared/messaging/failure-count.ts';
import { type Outcome, outcomeOf, settle } from '../../../../src/shared/messaging/outcome.ts';

const rules = { maxDeliveries: 5, retryForever: false };

describe('outcomeOf', () => {
  it.each([
    ['a terminal error', new TerminalError('gone', 'It is gone.'), { type: 'dead', code: 'gone', message: 'It is gone.' }],
    ['an interruption', new InterruptedError('stopping', 'We stop.'), { type: 'handed_back' }],
    ['a retryable error', new RetryableError('busy', 'Busy.'), { type: 'later', delayMs: 500 }],
    ['one with a time of its own', new RetryableError('busy', 'Busy.', { retryAfterMs: 7_000 }), { type: 'later', delayMs: 7_000 }],
    ['what nobody expected', new TypeError('x is undefined'), { type: 'later', delayMs: 500 }],
  ])('judges %s', (_name, error, expected) => {
    expect(outcomeOf(error, 1, rules)).toMatchObject(expected);
  });

  it('waits longer with every delivery, up to half a minute', () => {
    const delays = [1, 2, 3, 4, 20].map((deliveries) =>
      outcomeOf(new RetryableError('busy', ''), deliveries, { ...rules, maxDeliveries: 99 }),
    );

    expect(delays.map((outcome) => (outcome.type === 'later' ? outcome.delayMs : 0))).toEqual([500, 1_000, 2_000, 4_000, 30_000]);
  });

  it('gives a message up at the last delivery, and says why', () => {
    const outcome = outcomeOf(new RetryableError('busy', 'Still busy.'), 5, rules);

    expect(outcome).toMatchObject({ type: 'dead', code: 'busy', message: 'Gave up after 5 deliveries: Still busy.' });
  });

  it('never gives up what is known to pass, where the rules say so', () => {
    expect(outcomeOf(new RetryableError('forge_down', ''), 1_000, { ...rules, retryForever: true }).type).toBe('later');
    // A server that did not answer says nothing about the message.
    expect(outcomeOf(new TimeoutError(), 1_000, { ...rules, retryForever: true }).type).toBe('later');
    expect(outcomeOf(new TypeError('a bug'), 1_000, { ...rules, retryForever: true }).type).toBe('dead');
  });
});

describe('handleDelivery', () => {
  const settled: string[] = [];
  const deliver = (deliveries: number): Delivery => ({
    ...{ stream: 'INPUTS', subject: 'a', data: new Uint8Array(), traceparent: undefined, streamSeq: 9, deliveries },
    ack: () => Promise.resolve(),
    nak: () => void settled.push('later'),
    term: () => void settled.push('dead'),
    working: () => undefined,
  });
  const failWith = async (errors: readonly Error[], retryForever: boolean): Promise<string[]> => {
    settled.length = 0;
    const failures = createFailureCount();
    for (const [index, error] of errors.entries()) {
      const handle = (): Promise<void> => Promise.reject(error);
      const options = { handle, bury: () => Promise.resolve(), rules: { ...rules, retryForever } };
      await handleDelivery(deliver(index + 1), options, failures);
    }
    return settled;
  };

  it('gives up after so many unexpected failures, however long an outage before them was', async () => {
    const outage = Array<Error>(20).fill(new RetryableError('forge_down', ''));
    const bug = Array<Error>(5).fill(new TypeError('a bug'));

    expect(await failWith([...outage, ...bug], true)).toEqual([...Array<string>(24).fill('later'), 'dead']);
  });

  it('counts every delivery where nothing may come back for ever, also those of other processes', async () => {
    settled.length = 0;
    const handle = (): Promise<void> => Promise.reject(new RetryableError('busy', ''));

    await handleDelivery(deliver(5), { handle, bury: () => Promise.resolve(), rules }, createFailureCount());

    expect(settled).toEqual(['dead']);
  });
});

describe('createFailureCount', () => {
  it('forgets a message that was settled, and the oldest of too many', () => {
    const failures = createFailureCount();
    failures.add(1);
    failures.add(1);
    failures.forget(1);
    failures.add(2);
    for (let seq = 10; seq < 1_010; seq++) failures.add(seq);

    expect([failures.add(1), failures.add(2), failures.add(1_009)]).toEqual([1, 1, 2]);
  });
});

describe('settle', () => {
  const calls: string[] = [];
  const delivery: Delivery = {
    stream: 'TASKS',
    subject: 'a',
    data: new Uint8Array(),
    traceparent: undefined,
    streamSeq: 1,
    deliveries: 1,
    ack: () => Promise.resolve(void calls.push('ack')),
    nak: (delayMs) => void calls.push(`nak ${String(delayMs)}`),
    term: () => void calls.push('term'),
    working: () => void calls.push('working'),
  };
  const bury = (): Promise<void> => Promise.resolve(void calls.push('bury'));

  it.each<[Outcome, string[]]>([
    [{ type: 'done' }, ['ack']],
    [{ type: 'later', delayMs: 300, error: null }, ['nak 300']],
    [{ type: 'handed_back' }, ['nak undefined']],
    [{ type: 'dead', code: 'x', message: 'y', error: null }, ['bury', 'term']],
  ])('answers %j', async (outcome, expected) => {
    calls.length = 0;

    await settle(delivery, outcome, { bury });

    expect(calls).toEqual(expected);
  });

  it('keeps a message that could not be buried', async () => {
    calls.length = 0;
    const failing = settle(
      delivery,
      { type: 'dead', code: 'x', message: 'y', error: null },
      { bury: () => Promise.reject(new Error('no space')) },
    );

    await expect(failing).rejects.toThrow('no space');
    expect(calls).toEqual([]);
  });
});
