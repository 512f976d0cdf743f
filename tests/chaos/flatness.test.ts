import { describe, expect, it } from '@jest/globals';
import { growthsOf } from '../support/chaos/flatness.ts';
import type { Sample } from '../support/chaos/samples.ts';

const MIB = 1024 * 1024;
const SECOND_MS = 1_000;

describe('a soak', () => {
  it.each([
    ['memory that stays', 'rss coder-1', () => 80 * MIB, true],
    ['memory that goes up and down', 'rss coder-1', (n: number) => (80 + (n % 7) * 2) * MIB, true],
    ['memory that only grew while it warmed up', 'rss coder-1', (n: number) => (n < 20 ? 40 + n * 2 : 80) * MIB, true],
    ['memory that leaks', 'rss coder-1', (n: number) => (80 + n) * MIB, false],
    ['files that are never closed', 'fds repo-manager-1', (n: number) => 30 + n, false],
    ['claims that are left', 'messages KV_claims', (n: number) => n * 10_000, false],
    ['workspaces that are left', 'disk worktrees', (n: number) => n * 2 * MIB, false],
    ['history that grows with the jobs', 'bytes EVENTS', (n: number) => n * 300_000, true],
    ['history that grows faster than the jobs', 'bytes EVENTS', (n: number) => n * n * 100_000, false],
  ])('judges %s', (_what, name, valueAt, isFine) => {
    const samples = Array.from({ length: 60 }, (_, n): Sample => ({ atMs: n * SECOND_MS, jobsOver: n, values: { [name]: valueAt(n) } }));

    expect(growthsOf(samples)).toMatchObject([{ name, isFine }]);
  });
});
