import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as requestPlain } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { addressOf, type AllowedHost } from './allowed-hosts.ts';
import { refuse } from './refuse.ts';
import { hasProxyToken } from './token.ts';

export interface TunnelOptions {
  readonly hosts: readonly AllowedHost[];
  readonly token: string;
}

const NOT_PASSED_ON = ['proxy-authorization', 'proxy-connection', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade'];

/** Answers CONNECT (RFC 9110 section 9.3.6): a tunnel to a host of the list, and to no other. */
export async function openTunnel({ hosts, token }: TunnelOptions, request: IncomingMessage, socket: Duplex): Promise<void> {
  socket.on('error', () => socket.destroy());
  if (!hasProxyToken(request.headers, token))
    return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
  const { host, port } = targetOf(request.url ?? '');
  const address = await addressOf(hosts, host, port).catch(() => undefined);
  if (address === undefined) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  const other = connect({ host: address, port });
  other.once('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  other.once('connect', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    other.pipe(socket).pipe(other);
    socket.once('close', () => other.destroy());
    other.once('close', () => socket.destroy());
  });
}

/** Answers a request for an absolute URL without TLS (RFC 9112 section 3.2.2), for a host of the list. */
export async function fetchPlainly({ hosts, token }: TunnelOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!hasProxyToken(request.headers, token)) {
    response.setHeader('proxy-authenticate', 'Basic');
    refuse(response, 407, 'This is not the token that the run was given.');
    return;
  }
  const url = new URL(request.url ?? '');
  const port = Number(url.port || '80');
  const address = await addressOf(hosts, url.hostname, port).catch(() => undefined);
  if (url.protocol !== 'http:' || address === undefined) {
    refuse(response, 403, `${url.host} is not among MULTI_AGENT_ALLOWED_HOSTS.`);
    return;
  }
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !NOT_PASSED_ON.includes(name)));
  const upstream = requestPlain({ host: address, port, method: request.method, path: `${url.pathname}${url.search}`, headers });
  upstream.once('error', () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 502, `${url.host} could not be reached.`);
  });
  upstream.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    void pipeline(answer, response).catch(() => response.destroy());
  });
  await pipeline(request, upstream);
}

function targetOf(authority: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(authority) ?? [];
  return { host, port: Number(port) };
}
