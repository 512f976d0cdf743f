import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** A host that may be reached, and its port. */
export interface AllowedHost {
  /** As it is written in a URL, in lower case: no pattern. */
  readonly host: string;
  readonly port: number;
}

/** `registry.npmjs.org` (port 443), `mirror.example.com:8080`, `[::1]:4873`. @returns undefined for what is none of these */
export function parseAllowedHost(text: string): AllowedHost | undefined {
  if (/[/@?#*\s]/.test(text) || !URL.canParse(`http://${text}`)) return undefined;
  const { hostname, port } = new URL(`http://${text}`);
  const written = /:(\d+)$/.exec(text)?.[1];
  return { host: hostname, port: written === undefined ? DEFAULT_PORT : Number(port || '80') };
}

const DEFAULT_PORT = 443;

/**
 * The address to connect to for a host and port that somebody asks for.
 *
 * @returns undefined where the list lacks it, or where a name in it leads to this machine or its link: only an address that is itself in the
 *   list is reached there
 */
export async function addressOf(allowed: readonly AllowedHost[], host: string, port: number): Promise<string | undefined> {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  if (!allowed.some((one) => one.host === wanted && one.port === port)) return undefined;
  const literal = wanted.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) return literal;
  const { address } = await lookup(wanted);
  return wanted !== 'localhost' && isLocal(address) ? undefined : address;
}

/** Loopback, link-local (a cloud's metadata are there) and "this host": RFC 6890. */
function isLocal(address: string): boolean {
  return /^(?:127\.|0\.|169\.254\.|::1$|::$|fe[89ab])/i.test(address) || /^::ffff:(?:127|0|169\.254)\./i.test(address);
}
