import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError } from '../../../src/shared/errors/errors.ts';
import type { Customers } from './customers.ts';

const LOOK_EVERY_MS = 400;

/** Rejects when the signal aborts: whatever else goes on is ended with the world it goes on in. */
export function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(new InterruptedError('interrupted', 'interrupted'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
}

/** Until all is over, or nothing has moved for so long that nothing ever will. */
export async function untilQuiet(customers: Customers, patienceMs: number): Promise<void> {
  const from = performance.now();
  const lastChange = (): number => customers.jobs.reduce((latest, job) => (job.isOver ? latest : Math.max(latest, job.changedAt)), from);
  while (customers.open() > 0 && performance.now() - lastChange() < patienceMs) {
    await Promise.all([customers.look(), delay(LOOK_EVERY_MS)]);
  }
}
