import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Whether a caller has the token of its run, in whichever place a program puts a key. */
export function hasToken(headers: IncomingHttpHeaders, query: URLSearchParams, token: string): boolean {
  const given = [bearerIn(headers.authorization), headers['x-api-key'], headers['x-goog-api-key'], headers['api-key'], query.get('key')];
  return given.some((one) => typeof one === 'string' && isSame(one, token));
}

/** The same for a proxy, whose credentials are a name and a password (RFC 7617). */
export function hasProxyToken(headers: IncomingHttpHeaders, token: string): boolean {
  const encoded = /^Basic (.+)$/i.exec(headers['proxy-authorization'] ?? '')?.[1] ?? '';
  const password = Buffer.from(encoded, 'base64').toString().split(':').slice(1).join(':');
  return isSame(password, token);
}

function bearerIn(header: string | undefined): string | undefined {
  return /^Bearer (.+)$/i.exec(header ?? '')?.[1];
}

/** In constant time, whatever the lengths. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
