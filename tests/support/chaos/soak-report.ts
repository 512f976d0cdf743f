import type { Growth } from './flatness.ts';
import type { Finding } from './finding.ts';

/** What `npm run soak` prints. */
export interface SoakReport {
  readonly seed: string;
  readonly ok: boolean;
  readonly minutes: number;
  readonly submitted: number;
  readonly merged: number;
  readonly jobsPerMinute: number;
  /** Everything that was looked at, what grows too much first. */
  readonly growths: readonly Growth[];
  /** Streams that are larger than their limit. */
  readonly overLimit: readonly string[];
  readonly findings: readonly Finding[];
}

/** For people. */
export function shown(report: SoakReport): string {
  const { growths, overLimit, findings } = report;
  return [
    `seed ${report.seed}: ${report.minutes} min, ${report.submitted} jobs, ${report.merged} merged, ${report.jobsPerMinute} a minute`,
    ...growths.map(lineOf),
    ...overLimit.map((what) => `over its limit: ${what}`),
    ...findings.map(({ kind, what }) => `${kind}: ${what}`),
    report.ok ? 'ok' : 'NOT OK',
  ].join('\n');
}

function lineOf({ name, kind, first, last, growth, allowed, isFine }: Growth): string {
  const how = kind === 'flat' ? 'grew by' : 'a job adds';
  return `${isFine ? '  ' : '! '}${name}: ${figure(first)} to ${figure(last)}, ${how} ${figure(growth)} (at most ${figure(allowed)})`;
}

function figure(value: number): string {
  if (Math.abs(value) < 10_000) return String(Math.round(value * 10) / 10);
  return `${(value / 1024 / 1024).toFixed(2)} Mi`;
}
