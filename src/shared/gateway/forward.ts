import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestPlain, type ServerResponse } from 'node:http';
import { request as requestTls } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { ConfiguredProvider, ModelProvider } from './providers.ts';
import { refuse } from './refuse.ts';

/** A call of a model's API, answered. */
export interface ModelCall {
  readonly provider: ModelProvider['name'];
  readonly status: number;
  /** What the provider asks to wait for (milliseconds), where it says so. */
  readonly retryAfterMs: number | undefined;
}

export interface ForwardOptions {
  readonly providers: readonly ConfiguredProvider[];
  readonly onCall?: ((call: ModelCall) => void) | undefined;
}

const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
/** Between two hops, by RFC 9110 section 7.6.1, and what is only for the proxy. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'];
const CREDENTIALS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'proxy-authorization'];
const NOT_PASSED_ON = new Set([...HOP_BY_HOP, ...CREDENTIALS, 'host']);
const NOT_PASSED_BACK = new Set([...HOP_BY_HOP, 'set-cookie']);

/**
 * Answers a request for a model's API: `/<provider>/<path>` goes to the provider's base URL, with the key that the caller never sees. What
 * a run needs to ask a model is passed on, and nothing else of the account; no redirect is followed.
 */
export async function forwardToModel(options: ForwardOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://gateway');
  const [, name = '', rest = '/'] = /^\/([a-z]+)(\/.*)?$/.exec(url.pathname) ?? [];
  const configured = options.providers.find(({ provider }) => provider.name === name);
  if (configured === undefined) {
    refuse(response, 404, `No provider "${name}" has a key here.`);
    return;
  }
  // Asked for by some programs to see whether there is a server at all.
  if (request.method === 'HEAD' && rest === '/') return void response.writeHead(200).end();
  if (!configured.provider.paths.test(rest)) {
    refuse(response, 403, `Not passed on: ${rest} is no part of asking a model.`);
    return;
  }
  url.searchParams.delete('key');
  await pass(options, configured, { request, response, path: `${rest}${url.search}` });
}

async function pass(
  { onCall }: ForwardOptions,
  { provider, credential, baseUrl }: ConfiguredProvider,
  { request, response, path }: { request: IncomingMessage; response: ServerResponse; path: string },
): Promise<void> {
  const target = new URL(`${baseUrl.pathname.replace(/\/+$/, '')}${path}`, baseUrl);
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const send = target.protocol === 'https:' ? requestTls : requestPlain;
  const value = credential.header === 'authorization' ? `Bearer ${credential.value}` : credential.value;
  const headers = { ...without(request.headers, NOT_PASSED_ON), [credential.header]: value };
  const upstream = send(target, { method: request.method ?? 'GET', headers, signal: gone.signal });
  const answered = once(upstream, 'response') as Promise<[IncomingMessage]>;
  const sent = pipeline(request, limited(MAX_REQUEST_BYTES), upstream);
  // An answer may come before all is sent, and the rest is then not wanted.
  sent.catch(() => undefined);
  try {
    const [answer] = await Promise.race([answered, sent.then(() => answered)]);
    const status = answer.statusCode ?? 502;
    onCall?.({ provider: provider.name, status, retryAfterMs: retryAfterOf(answer.headers) });
    response.writeHead(status, without(answer.headers, NOT_PASSED_BACK));
    await pipeline(answer, response);
  } catch (error) {
    if (gone.signal.aborted || response.headersSent) throw error;
    refuse(
      response,
      error instanceof TooLarge ? 413 : 502,
      error instanceof TooLarge ? error.message : 'The provider could not be reached.',
    );
  }
}

class TooLarge extends Error {}

function limited(maxBytes: number): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new TooLarge(`A request may have ${String(maxBytes)} bytes.`);
      yield chunk;
    }
  };
}

function without(headers: IncomingHttpHeaders, names: ReadonlySet<string>): Record<string, string | string[]> {
  const listed = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || names.has(name) || listed.includes(name) ? [] : [[name, value]],
    ),
  );
}

/** `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), or Anthropic's and OpenAI's own in milliseconds. */
function retryAfterOf(headers: IncomingHttpHeaders): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  const wait = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1_000;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
