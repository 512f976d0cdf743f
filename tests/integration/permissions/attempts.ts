import { setTimeout as delay } from 'node:timers/promises';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { PermissionViolationError } from '@nats-io/transport-node';

/** Tries what a connection may not do, and hears what the server says to it. */
export interface Attempts {
  /** Those of these subjects that the server lets it publish to. */
  publish(
    subjects: readonly string[],
    options?: { readonly reply?: string; readonly payload?: string; readonly headers?: MsgHdrs },
  ): Promise<string[]>;
  /** Those of these subjects that the server lets it subscribe to. */
  subscribe(subjects: readonly string[]): Promise<string[]>;
}

/** Nobody's: the violation that it brings comes after those of all that was tried before. */
const SENTINEL = 'nobody.may';
const WITHIN_MS = 20_000;

export function attemptsOf(nc: NatsConnection): Attempts {
  const refused = new Set<string>();
  let tried = 0;
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError)
        refused.add(`${status.error.operation} ${status.error.subject}`);
    }
  })();
  const allAnswered = async (): Promise<void> => {
    const sentinel = `${SENTINEL}.${String(tried++)}`;
    nc.publish(sentinel);
    const giveUpAt = performance.now() + WITHIN_MS;
    while (!refused.has(`publish ${sentinel}`)) {
      if (performance.now() > giveUpAt) throw new Error('the server did not refuse what nobody may do');
      await delay(5);
    }
  };
  return {
    publish: async (subjects, { payload = '', ...options } = {}) => {
      for (const subject of subjects) nc.publish(subject, payload, options);
      await allAnswered();
      return subjects.filter((subject) => !refused.has(`publish ${subject}`));
    },
    subscribe: async (subjects) => {
      const subscriptions = subjects.map((subject) => nc.subscribe(subject, { callback: () => undefined }));
      await allAnswered();
      for (const subscription of subscriptions) if (!subscription.isClosed()) subscription.unsubscribe();
      return subjects.filter((subject) => !refused.has(`subscription ${subject}`));
    },
  };
}

/** One subject that a pattern stands for. */
export function exampleOf(pattern: string): string {
  return pattern.replaceAll('*', 'x1').replace(/>$/, 'x1.x2');
}

/** Whether a pattern of NATS covers a subject. */
export function covers(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  const open = wanted.at(-1) === '>';
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((token, index) => token === '>' || token === '*' || token === given[index]);
}
