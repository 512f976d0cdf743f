const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The longest window that a provider has is a week. */
const MAX_MS = 8 * DAY_MS;

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^ms$|^millisecond/, 1],
  [/^s$|^sec/, SECOND_MS],
  [/^m$|^min/, MINUTE_MS],
  [/^h$|^hour|^hr/, HOUR_MS],
  [/^d$|^day/, DAY_MS],
];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const SPAN = /(?:again|retry|reset\w*|available) (?:in|after) ((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*(?:and\s+)?)+)/i;
const HEADER = /retry[-_ ]after[-_a-z]*["']?\s*[:=]?\s*(\d+(?:\.\d+)?)\s*([a-z]+)?/i;
const EPOCH = /(?:\||resets?_?a?t?["']?\s*[:=]\s*)(\d{10})\b/i;
const ISO = /resets?(?: at| on)? (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2}))/i;
const CLOCK =
  /resets?(?: at| on)?(?: ([a-z]{3})[a-z]* (\d{1,2})(?:,? \d{4})?,?(?: at)?)? (\d{1,2})(?::(\d{2}))?\s*(am|pm)(?: \(([A-Za-z_/+-]+)\))?/i;

/** How long to wait until a limit is over (milliseconds), where a message says so in one of the ways known; at most 8 days. */
export function retryAfterMsIn(message: string, nowMs: number): number | undefined {
  const found = spanIn(message) ?? momentIn(message, nowMs) ?? clockIn(message, nowMs);
  return found === undefined ? undefined : Math.round(Math.min(Math.max(found, 0), MAX_MS));
}

/** "try again in 1h 20m", "retry-after: 30" (seconds). */
function spanIn(message: string): number | undefined {
  const header = HEADER.exec(message);
  if (header !== null) return Number(header[1]) * unitMs(header[2] ?? 's', SECOND_MS);
  const span = SPAN.exec(message)?.[1];
  if (span === undefined) return undefined;
  const parts = [...span.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs(unit ?? '', 0), 0) || undefined;
}

function unitMs(name: string, otherwise: number): number {
  return UNITS.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1] ?? otherwise;
}

/** "limit reached|1763800000", "resets at 2026-11-22T15:00:00Z". */
function momentIn(message: string, nowMs: number): number | undefined {
  const epoch = EPOCH.exec(message)?.[1];
  if (epoch !== undefined) return Number(epoch) * SECOND_MS - nowMs;
  const iso = ISO.exec(message)?.[1];
  return iso === undefined ? undefined : Date.parse(iso) - nowMs;
}

/** "resets 3pm (Europe/Berlin)", "resets Nov 25 at 3:30pm": the next time that it is so there. */
function clockIn(message: string, nowMs: number): number | undefined {
  const [, month, day, hour, minute = '0', half, zone] = CLOCK.exec(message) ?? [];
  if (hour === undefined) return undefined;
  const now = wallClock(nowMs, zone);
  const minutes = ((Number(hour) % 12) + (half?.toLowerCase() === 'pm' ? 12 : 0)) * 60 + Number(minute);
  const left = (minutes - now.minutes) * MINUTE_MS;
  const index = MONTHS.indexOf(month?.toLowerCase() ?? '');
  if (index === -1 || day === undefined) return left > 0 ? left : left + DAY_MS;
  const days = (Date.UTC(now.year, index, Number(day)) - Date.UTC(now.year, now.month, now.day)) / DAY_MS;
  return left + (days < 0 ? days + 365 : days) * DAY_MS;
}

interface WallClock {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  /** Since midnight. */
  readonly minutes: number;
}

/** @param zone an IANA name; unknown, or none: this machine's */
function wallClock(nowMs: number, zone: string | undefined): WallClock {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(nowMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const at = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return { year: at('year'), month: at('month') - 1, day: at('day'), minutes: at('hour') * 60 + at('minute') + at('second') / 60 };
}

function formatOf(zone: string | undefined): Intl.DateTimeFormat {
  const number = 'numeric' as const;
  const options = { year: number, month: number, day: number, hour: number, minute: number, second: number, hourCycle: 'h23' as const };
  try {
    return new Intl.DateTimeFormat('en-US', zone === undefined ? options : { ...options, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat('en-US', options);
  }
}
