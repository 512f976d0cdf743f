import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { HARM_NAMES, type HarmName } from './harm.ts';

export interface ChaosOptions {
  readonly seed: string;
  /** How long harm is done. */
  readonly seconds: number;
  /** How many jobs are handed in at most. */
  readonly jobs: number;
  /** How many of them are under way at the same time. */
  readonly inFlight: number;
  /** How long to wait between two harms, against what is usual: 2 is half the harm. Default: 1 in less than ten minutes, else 3. */
  readonly pace: number;
  /** Which harm is done. */
  readonly harm: ReadonlySet<HarmName>;
  readonly isNaive: boolean;
  readonly isJson: boolean;
  /** How long nothing may move until what is not over counts as lost (milliseconds). */
  readonly patienceMs: number;
  /** Where a copy of the system's folder (logs, store, repositories) is put when something is wrong. */
  readonly keepIn: string | undefined;
}

const DEFAULT_SECONDS = 600;
const QUICK_SECONDS = 120;
/** The long form is meant to see a thousand jobs through, on two cores too; the short ones to be as rough as can be. */
const LONG_PACE = 3;
const DEFAULT_IN_FLIGHT = 40;
/** A lost message is missed after half a minute; a connection that is dead at the other end is noticed as late. */
const PATIENCE_SECONDS = 60;

export const CHAOS_USAGE = `usage: npm run chaos -- [--quick | --seconds n | --minutes n] [--jobs n] [--in-flight n] [--seed s] [--harm daemon,nats,...] [--pace n] [--patience seconds] [--keep folder] [--naive] [--json]`;

/** @throws TypeError for an option that is not known, RangeError for a number that is none */
export function chaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      minutes: { type: 'string' },
      jobs: { type: 'string' },
      'in-flight': { type: 'string' },
      seed: { type: 'string' },
      harm: { type: 'string' },
      pace: { type: 'string' },
      patience: { type: 'string' },
      keep: { type: 'string' },
      naive: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const minutes = positive('--minutes', values.minutes);
  const seconds = positive('--seconds', values.seconds) ?? (minutes === undefined ? undefined : minutes * 60) ?? byName(values);
  return {
    seed: values.seed ?? randomBytes(4).toString('hex'),
    seconds,
    jobs: positive('--jobs', values.jobs) ?? Number.POSITIVE_INFINITY,
    inFlight: positive('--in-flight', values['in-flight']) ?? DEFAULT_IN_FLIGHT,
    pace: positive('--pace', values.pace) ?? (seconds < DEFAULT_SECONDS ? 1 : LONG_PACE),
    harm: new Set(values.harm === undefined ? HARM_NAMES : harmNames(values.harm)),
    isNaive: values.naive,
    isJson: values.json,
    patienceMs: (positive('--patience', values.patience) ?? PATIENCE_SECONDS) * 1_000,
    keepIn: values.keep,
  };
}

/** With a number of jobs and no time, the jobs decide. */
function byName({ quick, jobs }: { quick: boolean; jobs?: string | undefined }): number {
  if (quick) return QUICK_SECONDS;
  return jobs === undefined ? DEFAULT_SECONDS : Number.POSITIVE_INFINITY;
}

/** `daemon,nats`; the empty word for none at all. */
function harmNames(text: string): HarmName[] {
  const names = text.split(',').filter((name) => name !== '');
  const known = HARM_NAMES.filter((name) => names.includes(name));
  if (known.length < names.length) throw new RangeError(`--harm: ${JSON.stringify(text)} is not of ${HARM_NAMES.join(', ')}`);
  return known;
}

/** @throws RangeError for what is no number above 0 */
export function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`${name}: ${JSON.stringify(text)} is no number above 0`);
  return value;
}
