import type { ChaosOptions } from './chaos-options.ts';
import type { SubmittedJob } from './customers.ts';
import { HARM_NAMES, type HarmDone } from './harm.ts';
import type { Finding } from './finding.ts';
import type { Verdict } from './judge.ts';
import type { Recovery } from './recovery.ts';
import type { World } from './world.ts';

/** What `npm run chaos` prints. */
export interface ChaosReport {
  readonly seed: string;
  /** Submissions that were acknowledged. */
  readonly submitted: number;
  readonly merged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly orphans: number;
  /** Records that say other than the repository. */
  readonly untrue: number;
  /** Commits on a base branch whose tree no green check has seen. */
  readonly red: number;
  readonly ok: boolean;
  readonly naive: boolean;
  readonly failedAsExpected: number;
  readonly cancelled: number;
  /** Failures that a person had tried again, by code. */
  readonly triedAgain: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly pauses: number;
  readonly natsKills: number;
  readonly networkFaults: number;
  readonly diskFull: number;
  readonly clockJumps: number;
  readonly clockMeans: string;
  readonly poison: number;
  readonly forgeFaultShare: number;
  /** 1: the usual times between two harms. */
  readonly pace: number;
  readonly recovery: Recovery;
  readonly chaosSeconds: number;
  readonly seconds: number;
  readonly jobsPerMinute: number;
  readonly byBehaviour: Readonly<Record<string, number>>;
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** The first of what is wrong. */
  readonly findings: readonly Finding[];
  readonly troubles: readonly string[];
}

interface Played {
  readonly world: World;
  readonly options: ChaosOptions;
  readonly jobs: readonly SubmittedJob[];
  readonly done: HarmDone;
  readonly verdict: Verdict;
  readonly recovery: Recovery;
  readonly chaosSeconds: number;
  readonly seconds: number;
}

const FINDINGS_SHOWN = 100;

export function reportOf({ world, options, jobs, done, verdict, recovery, chaosSeconds, seconds }: Played): ChaosReport {
  const { findings } = verdict;
  const numberOf = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length;
  return {
    seed: options.seed,
    submitted: jobs.length,
    merged: verdict.merged,
    lost: numberOf('lost'),
    doubled: numberOf('doubled'),
    orphans: numberOf('orphan'),
    untrue: numberOf('untrue'),
    red: numberOf('red'),
    // Nothing wrong with nothing done proves nothing.
    ok: findings.length === 0 && verdict.merged > 0 && (done.agentKills.length > 0 || !options.harm.has('daemon')),
    naive: options.isNaive,
    failedAsExpected: verdict.failedAsExpected,
    cancelled: verdict.cancelled,
    triedAgain: counted(jobs.flatMap(({ failures }) => failures)),
    kills: done.agentKills.length,
    pauses: done.pauses,
    natsKills: done.natsKills.length,
    networkFaults: done.network,
    diskFull: done.diskFull,
    clockJumps: done.clockJumps,
    clockMeans: world.clocks.means,
    poison: done.poison.length,
    forgeFaultShare: world.options.forgeFaults,
    pace: options.pace,
    recovery,
    chaosSeconds: Math.round(chaosSeconds),
    seconds: Math.round(seconds),
    jobsPerMinute: Math.round((jobs.length / seconds) * 600) / 10,
    byBehaviour: counted(jobs.map(({ plan }) => plan.behaviour.name)),
    skipped: skippedIn(world, options),
    findings: findings.slice(0, FINDINGS_SHOWN),
    troubles: [...new Set(done.troubles)].slice(0, FINDINGS_SHOWN),
  };
}

function skippedIn({ disk, clocks }: World, { harm }: ChaosOptions): ChaosReport['skipped'] {
  return [
    ...HARM_NAMES.filter((name) => !harm.has(name)).map((what) => ({ what, why: 'not asked for' })),
    ...('why' in disk ? [{ what: 'disk full', why: disk.why }] : []),
    ...(clocks.means === 'faketime' ? [] : [{ what: 'faketime', why: 'not installed; clocks jump inside of the daemons instead' }]),
  ];
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** For people. */
export function shown(report: ChaosReport): string {
  const { recovery } = report;
  return [
    `seed ${report.seed}, ${report.seconds} s, ${report.chaosSeconds} s of them under fire${report.naive ? ', naive wiring (the control)' : ''}`,
    `harm     ${report.kills} kills, ${report.pauses} pauses, ${report.natsKills} server kills, ${report.networkFaults} network faults, ` +
      `${report.diskFull} full disks, ${report.clockJumps} clock jumps, ${report.poison} poison messages`,
    `jobs     ${report.submitted} handed in, ${report.merged} merged, ${report.failedAsExpected} failed as they should, ${report.cancelled} cancelled`,
    `wrong    ${report.lost} lost, ${report.doubled} doubled, ${report.untrue} untrue, ${report.red} red, ${report.orphans} left over`,
    `recovery agent killed: p50 ${recovery.agentKill.p50Ms} ms, p99 ${recovery.agentKill.p99Ms} ms of ${recovery.agentKill.count}; ` +
      `server killed: p50 ${recovery.natsKill.p50Ms} ms, p99 ${recovery.natsKill.p99Ms} ms of ${recovery.natsKill.count}`,
    ...report.skipped.map(({ what, why }) => `skipped  ${what}: ${why}`),
    ...report.findings.map(({ kind, what }) => `${kind}: ${what}`),
    ...report.troubles.map((trouble) => `trouble of the harness: ${trouble}`),
    report.ok ? 'ok' : `NOT OK; again: npm run chaos -- --seed ${report.seed}`,
  ].join('\n');
}
