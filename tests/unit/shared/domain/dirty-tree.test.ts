import { describe, expect, it } from '@jest/globals';
import {
  after,
  approves,
  commit,
  findsTreeDirty,
  merging,
  pendingEffect,
  rejects,
  settled,
  started,
  implemented,
  reviewed,
  swept,
} from './stories.ts';

describe('a merge that waits for a clean tree', () => {
  it('is tried again as the very same merge commit', () => {
    const first = merging();
    const again = after(first, findsTreeDirty, settled, swept('unknown'), findsTreeDirty, settled, swept('unknown', 60_000));
    const approved = after(first, findsTreeDirty, settled, approves());

    expect(pendingEffect(again, 'MergeChange')).toEqual(pendingEffect(first, 'MergeChange'));
    expect(pendingEffect(approved, 'MergeChange')).toEqual(pendingEffect(first, 'MergeChange'));
  });

  it('has a date of its own for another head', () => {
    const first = merging();
    const other = after(first, findsTreeDirty, settled, rejects('No.'), settled, started(), implemented(commit(77)), reviewed('APPROVE'));

    expect(pendingEffect(other, 'MergeChange').at).toBeGreaterThan(pendingEffect(first, 'MergeChange').at);
  });
});
