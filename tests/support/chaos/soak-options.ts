import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { positive } from './chaos-options.ts';

export interface SoakOptions {
  readonly seed: string;
  readonly seconds: number;
  /** Jobs under way at the same time. */
  readonly inFlight: number;
  readonly isJson: boolean;
}

const DEFAULT_MINUTES = 30;
const DEFAULT_IN_FLIGHT = 4;

export const SOAK_USAGE = 'usage: npm run soak -- [--minutes n | --hours n] [--in-flight n] [--seed s] [--json]';

/** @throws TypeError for an option that is not known, RangeError for a number that is none */
export function soakOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      hours: { type: 'string' },
      'in-flight': { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const hours = positive('--hours', values.hours);
  const minutes = positive('--minutes', values.minutes) ?? (hours === undefined ? DEFAULT_MINUTES : hours * 60);
  return {
    seed: values.seed ?? randomBytes(4).toString('hex'),
    seconds: minutes * 60,
    inFlight: positive('--in-flight', values['in-flight']) ?? DEFAULT_IN_FLIGHT,
    isJson: values.json,
  };
}
