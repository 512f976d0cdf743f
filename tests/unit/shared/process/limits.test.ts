import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type LimitWatch, watchLimits } from '../../../../src/shared/process/limits.ts';

describe('watchLimits', () => {
  let watch: LimitWatch | undefined;

  afterEach(() => {
    watch?.stop();
  });

  it('passes the wall limit however much is said', async () => {
    watch = watchLimits({ wallMs: 60, stallMs: 40 });
    const talking = setInterval(() => watch?.heard(), 5);

    const passed = await watch.passed;

    clearInterval(talking);
    expect(passed).toBe('wall');
  });

  it('passes the stall limit when nothing is said', async () => {
    watch = watchLimits({ wallMs: 10_000, stallMs: 30 });

    expect(await watch.passed).toBe('stall');
  });

  it('is aborted before or while it watches', async () => {
    const controller = new AbortController();
    watch = watchLimits({ signal: controller.signal });
    controller.abort();

    expect(await watch.passed).toBe('abort');
    expect(await watchLimits({ signal: controller.signal }).passed).toBe('abort');
  });

  it('takes limits longer than a timer can hold', async () => {
    watch = watchLimits({ wallMs: 2 ** 40, stallMs: 2 ** 40 });

    const first = await Promise.race([watch.passed, sleep(30, 'none yet')]);

    expect(first).toBe('none yet');
  });
});
