import { describe, expect, it } from '@jest/globals';
import { openCommits } from '../../../src/agents/repo-manager/commits.ts';
import { createLocalForge } from '../../../src/shared/forge/local/local-forge.ts';

interface Measure {
  interleaved(rounds: number, ways: Record<string, () => unknown>, options?: { warmUps: number }): Promise<Record<string, number[]>>;
  median(times: readonly number[]): number;
  percentile(times: readonly number[], percent: number): number;
  pairedRatio(times: readonly number[], others: readonly number[]): number;
}

interface Programs {
  createPrograms(onEnd: (close: () => unknown) => void): { died: Promise<never>; start(name: string): Promise<void> };
}

interface Page {
  pageOf(benchmarks: readonly object[], runs: Readonly<Record<string, object>>, notes: string): string;
}

const load = async (path: string): Promise<unknown> => import(new URL(`../../../bench/${path}`, import.meta.url).href);
const { interleaved, median, percentile, pairedRatio } = (await load('harness/measure.mjs')) as Measure;
const { pageOf } = (await load('harness/report.mjs')) as Page;
const gitless = (await load('programs/gitless.mjs')) as Record<'forge' | 'commits', () => object>;
const { createPrograms } = (await load('harness/programs.mjs')) as Programs;
const { benchmarks } = (await load('benchmarks.mjs')) as { benchmarks: readonly { id: string; title: string; how: string }[] };

describe('how benchmarks measure', () => {
  it('runs the ways in turn, and counts no round that was a warm-up', async () => {
    const ran: string[] = [];
    const way = (name: string) => () => ran.push(name);

    const times = await interleaved(2, { a: way('a'), b: way('b') }, { warmUps: 1 });

    expect(ran).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    // A way that gives a number has measured itself: here how many had run.
    expect(times).toEqual({ a: [3, 5], b: [4, 6] });
  });

  it('takes values that were measured, never one between them', () => {
    expect(median([4, 1, 3, 2])).toBe(2);
    expect(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 99)).toBe(10);
    expect(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90)).toBe(9);
    expect(() => median([])).toThrow('nothing was measured');
  });

  it('compares what was measured side by side', () => {
    // The machine was ten times slower in the second round, for both.
    expect(pairedRatio([2, 20, 2], [1, 10, 1])).toBe(2);
  });
});

describe('what a benchmark leaves out', () => {
  it('has all that the real one has', () => {
    const namesOf = (thing: object) => Object.keys(thing).sort();

    expect(namesOf(gitless.forge())).toEqual(namesOf(createLocalForge({ home: '/nowhere' })));
    expect(namesOf(gitless.commits())).toEqual(namesOf(openCommits('/nowhere')));
  });
});

describe('a program that a benchmark needs', () => {
  it('fails it when it ends, ready or not', async () => {
    const closers: (() => unknown)[] = [];
    const programs = createPrograms((close) => closers.push(close));

    const started = programs.start('no-such-program.mjs');

    await expect(started).rejects.toThrow('no-such-program.mjs ended before it was ready');
    await expect(programs.died).rejects.toThrow('no-such-program.mjs ended with 1 while it was needed');
    await Promise.all(closers.map((close) => close()));
  });
});

describe('the page of benchmarks', () => {
  it('has every benchmark of the issue once', () => {
    expect(benchmarks.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  });

  it('says which goal is missed, what was skipped and why, and on what kind of machine', () => {
    const machine = { cpu: 'A processor', cores: 2, memoryGb: 8, system: 'linux x64', node: 'v20', git: '2', natsServer: '2.9.10' };
    const results = [{ id: 'a.x', title: 'One', figure: 2, unit: '×', goal: '≤ 1', met: false, detail: { oneMs: 3 } }];
    const run = { at: '2026-01-02T00:00:00Z', quick: true, machine, loadPerCore: 0.5, results, skipped: [{ id: 'a.y', why: 'no redis' }] };

    const page = pageOf([{ id: 'a', title: 'First', how: 'So.' }], { a: run }, 'The notes.');

    expect(page).toContain('| One | 2 × | ≤ 1 | **no** | oneMs 3 |');
    expect(page).toContain('a.y was skipped: no redis');
    expect(page).toContain('`npm run bench -- --quick --only a`, 2026-01-02, on 2 cores (A processor), 8 GB');
    expect(page.trimEnd().endsWith('The notes.')).toBe(true);
  });
});
