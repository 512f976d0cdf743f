import { homedir } from 'node:os';
import { z } from 'zod';
import { type AllowedHost, parseAllowedHost } from '../gateway/allowed-hosts.ts';

/** The daemons that read a variable. The CLI reads all of them: it writes the daemons' role files. */
export type ConfigRole = 'repo-manager' | 'coder' | 'reviewer';

/** Under which heading a variable is documented. */
export type VariableGroup = 'general' | 'nats' | 'runners' | 'models' | 'timing' | 'forge' | 'notifications';

/** One environment variable: all that is known about it, for the parser, the role files and the docs alike. */
export interface Variable<T> {
  readonly name: string;
  readonly group: VariableGroup;
  /** One or two sentences for the docs, unit included. */
  readonly description: string;
  /** From the text of the variable to its value. */
  readonly schema: z.ZodType<T, string>;
  /** The text taken when the variable is unset or empty; undefined: there is no value then. */
  readonly fallback: string | undefined;
  /** The daemons whose role file carries it. */
  readonly readers: readonly ConfigRole[];
  /** Masked where it is shown, redacted from logs. */
  readonly secret: boolean;
  /** A file or folder: `~/` is the user's home, a relative path becomes absolute. */
  readonly path: boolean;
}

type Optional = 'fallback' | 'secret' | 'path';
export type VariableSpec<T> = Omit<Variable<T>, Optional> & Partial<Pick<Variable<T>, 'secret' | 'path'>>;

/** A variable that always has a value. `fallback` is text, as a person would write it, and is parsed like any other. */
export function defaulted<T>(spec: VariableSpec<T> & { readonly fallback: string }): Variable<T> {
  return { secret: false, path: false, ...spec };
}

/** A variable that may have no value. */
export function optional<T>(spec: VariableSpec<T>): Variable<T | undefined> {
  return { secret: false, path: false, ...spec, fallback: undefined };
}

/** Any text. */
export const text: z.ZodType<string, string> = z.string();

/** Names of environment variables, separated by commas; none of the system's own, which repositories must never get. */
export const variableNames: z.ZodType<string[], string> = z
  .string()
  .transform((names) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  )
  .refine((names) => names.every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)), 'must be names separated by commas')
  .refine(
    (names) => !names.some((name) => OWN_NAMES.test(name)),
    'must name none of the system itself (NATS_*, MULTI_AGENT_*, GITHUB_*, ...)',
  );

const OWN_NAMES = /^(?:NATS_|MULTI_AGENT_|PM2_|GITHUB_|GH_|SLACK_|DISCORD_|NOTIFICATION_)/;

/** Absolute paths, separated by colons; `~` at the beginning of one is the user's home. */
export const paths: z.ZodType<string[], string> = z
  .string()
  .transform((list) => list.split(':').filter((path) => path !== ''))
  .refine((list) => list.every((path) => /^~?\//.test(path)), 'must be absolute paths separated by colons')
  .transform((list) => list.map((path) => (path.startsWith('~') ? homedir() + path.slice(1) : path)));

/** Hosts, each with a port or 443, separated by commas. */
export const hosts: z.ZodType<AllowedHost[], string> = z.string().transform((list, context) => {
  const names = list.split(',').flatMap((name) => name.trim() || []);
  const found = names.map((name) => ({ name, host: parseAllowedHost(name) }));
  const others = found.filter(({ host }) => host === undefined).map(({ name }) => name);
  if (others.length > 0)
    context.addIssue(`must be host names separated by commas, without a protocol or a pattern; these are none: ${others.join(' ')}`);
  return found.flatMap(({ host }) => host ?? []);
});

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${String(min)} to ${String(max)}`);
}

/** Copies of a stream: an even number is no safer than the odd one below it. */
export const replicaCount: z.ZodType<number, string> = z
  .string()
  .regex(/^[135]$/, 'must be 1, 3 or 5')
  .transform(Number);

/** 1, true or yes; 0, false or no. */
export const yesNo: z.ZodType<boolean, string> = z
  .string()
  .toLowerCase()
  .refine((value) => YES.includes(value) || NO.includes(value), 'must be 1 or 0')
  .transform((value) => YES.includes(value));

const YES = ['1', 'true', 'yes'];
const NO = ['0', 'false', 'no'];

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(words: T): z.ZodType<T[number], string> {
  const known = (value: string): value is T[number] => words.includes(value);
  return z.string().refine(known, `must be one of ${words.join(', ')}`);
}

/** One URL of one of these protocols, or several separated by commas. */
export function urls(protocols: readonly string[]): z.ZodType<string, string> {
  const message = `must be a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}, or several separated by commas`;
  return z.string().refine((value) => value.split(',').every((part) => isUrl(part.trim(), protocols)), message);
}

/** A URL of one of these protocols. */
export function url(protocols: readonly string[]): z.ZodType<string, string> {
  return z
    .string()
    .refine((value) => isUrl(value, protocols), `must be a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}`);
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  return URL.canParse(value) && protocols.some((protocol) => value.startsWith(`${protocol}://`));
}
