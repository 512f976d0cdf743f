import type { Sample } from './samples.ts';

const MIB = 1024 * 1024;

/** How much a series may grow over the time that counts. */
interface Bound {
  readonly names: RegExp;
  /** `flat`: by no more than this. `per-job`: a job late in the run may add no more than one early in it did, within reason. */
  readonly kind: 'flat' | 'per-job';
  readonly share?: number;
  readonly slack?: number;
}

/** The first that fits counts. What keeps history grows with it, by design; everything else is flat. */
const BOUNDS: readonly Bound[] = [
  { names: /^rss nats-server$/, kind: 'flat', share: 0.3, slack: 24 * MIB },
  { names: /^rss /, kind: 'flat', share: 0.1, slack: 10 * MIB },
  { names: /^fds /, kind: 'flat', slack: 8 },
  { names: /^bytes (?:TASKS|INPUTS|KV_open|KV_claims|KV_locks|KV_agents)$/, kind: 'flat', share: 1, slack: 256 * 1024 },
  { names: /^messages (?:TASKS|INPUTS|KV_open|KV_claims|KV_locks|KV_agents|OBJ_bundles)$/, kind: 'flat', slack: 50 },
  { names: /^disk (?:worktrees|pool|run|nats)$/, kind: 'flat', share: 0.5, slack: 24 * MIB },
  { names: /^(?:bytes|messages|disk) /, kind: 'per-job', share: 0.5, slack: 64 * 1024 },
];

export interface Growth {
  readonly name: string;
  readonly kind: Bound['kind'];
  readonly first: number;
  readonly last: number;
  /** Of the line through the values, over the time that counts. `per-job`: what a job of the second half added. */
  readonly growth: number;
  readonly allowed: number;
  readonly isFine: boolean;
}

/** Judges every series, without the warm-up: until then caches fill, heaps find their size. */
export function growthsOf(samples: readonly Sample[], warmUpShare = 1 / 3): Growth[] {
  const counted = samples.slice(Math.floor(samples.length * warmUpShare));
  const names = Object.keys(counted.at(-1)?.values ?? {});
  return names.flatMap((name) => {
    const bound = BOUNDS.find(({ names: fits }) => fits.test(name));
    if (!bound) return [];
    return [bound.kind === 'flat' ? flat(name, counted, bound) : perJob(name, counted, bound)];
  });
}

function flat(name: string, samples: readonly Sample[], { share = 0, slack = 0 }: Bound): Growth {
  const points = samples.map(({ atMs, values }) => [atMs, values[name] ?? 0] as const);
  const mean = meanOf(points.map(([, y]) => y));
  const [from = [0, 0], to = [0, 0]] = [points[0], points.at(-1)];
  const growth = slopeOf(points) * (to[0] - from[0]);
  const allowed = share * mean + slack;
  return { name, kind: 'flat', first: from[1], last: to[1], growth, allowed, isFine: growth <= allowed };
}

function perJob(name: string, samples: readonly Sample[], { share = 0, slack = 0 }: Bound): Growth {
  const middle = Math.floor(samples.length / 2);
  const early = addedPerJob(name, samples.slice(0, middle + 1));
  const late = addedPerJob(name, samples.slice(middle));
  const allowed = Math.max(0, early) * (1 + share) + slack;
  const [first, last] = [samples[0]?.values[name] ?? 0, samples.at(-1)?.values[name] ?? 0];
  return { name, kind: 'per-job', first, last, growth: late, allowed, isFine: late <= allowed };
}

function addedPerJob(name: string, samples: readonly Sample[]): number {
  return slopeOf(samples.map(({ jobsOver, values }) => [jobsOver, values[name] ?? 0] as const));
}

/** Of the line with the least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const [meanX, meanY] = [meanOf(points.map(([x]) => x)), meanOf(points.map(([, y]) => y))];
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
