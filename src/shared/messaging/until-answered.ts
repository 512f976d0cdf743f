import { type Clock, systemClock } from '../lifecycle/clock.ts';
import { isUnanswered } from './unanswered.ts';

const ASK_AGAIN_MS = 250;

/** Asks until the server answers: for what may be asked twice, at a point where giving up would throw finished work away. */
export async function untilAnswered<T>(ask: () => Promise<T>, clock: Clock = systemClock): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
    }
    await clock.sleep(ASK_AGAIN_MS);
  }
}
