import { setTimeout as delay } from 'node:timers/promises';
import { isUnanswered } from './unanswered.ts';

const ASK_AGAIN_MS = 250;

/** Asks until the server answers: for what may be asked twice, at a point where giving up would throw finished work away. */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
    }
    await delay(ASK_AGAIN_MS);
  }
}
