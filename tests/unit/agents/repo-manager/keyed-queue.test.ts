import { describe, expect, it } from '@jest/globals';
import { createKeyedQueue, createLimiter } from '../../../../src/agents/repo-manager/keyed-queue.ts';

function gate(): { open: () => void; passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

describe('a keyed queue', () => {
  it('runs what has the same key one after the other, and other keys meanwhile', async () => {
    const queue = createKeyedQueue();
    const order: string[] = [];
    const first = gate();

    const slow = queue.run('a', async () => {
      await first.passed;
      order.push('a1');
    });
    const next = queue.run('a', () => Promise.resolve(void order.push('a2')));
    await queue.run('b', () => Promise.resolve(void order.push('b')));
    first.open();
    await Promise.all([slow, next]);

    expect(order).toEqual(['b', 'a1', 'a2']);
  });

  it('goes on after work that failed, and gives its error to who asked for it', async () => {
    const queue = createKeyedQueue();
    const failing = queue.run('a', () => Promise.reject(new Error('no')));
    const fine = queue.run('a', () => Promise.resolve('yes'));

    await expect(failing).rejects.toThrow('no');
    expect(await fine).toBe('yes');
  });
});

describe('a limiter', () => {
  it('lets no more run at once than it has slots, and loses none to a failure', async () => {
    const limit = createLimiter(2);
    const gates = Array.from({ length: 5 }, gate);
    let running = 0;
    let most = 0;

    const all = gates.map(({ passed }, index) =>
      limit(async () => {
        running += 1;
        most = Math.max(most, running);
        await passed;
        running -= 1;
        if (index === 0) throw new Error('no');
        return index;
      }).catch(() => -1),
    );
    for (const { open } of gates) open();

    expect(await Promise.all(all)).toEqual([-1, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });
});
