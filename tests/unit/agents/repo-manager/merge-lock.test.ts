import { describe, expect, it } from '@jest/globals';
import { createBench } from '../../../support/simulation/bench.ts';

describe('the merge lock', () => {
  it('is not certain any more for one that was paused for longer than its lease, before it is told', async () => {
    const { context, process, self, until } = createBench();

    const seen = await until(
      context.mergeLock.whileHeld('app.main', async (isHeld) => {
        const before = isHeld();
        process.pause(45_000);
        await self.clock.sleep(10);
        return { before, after: isHeld() };
      }),
    );

    expect(seen).toEqual({ before: true, after: false });
  });

  it('stays certain as long as it is renewed', async () => {
    const { context, self, until } = createBench();

    const held = await until(
      context.mergeLock.whileHeld('app.main', async (isHeld) => {
        await self.clock.sleep(60_000);
        return isHeld();
      }),
    );

    expect(held).toBe(true);
  });
});
