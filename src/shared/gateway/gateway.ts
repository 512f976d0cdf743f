import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AllowedHost } from './allowed-hosts.ts';
import { type ForwardOptions, forwardToModel } from './forward.ts';
import { refuse } from './refuse.ts';
import { hasToken } from './token.ts';
import { fetchPlainly, openTunnel } from './tunnel.ts';

export interface GatewayOptions extends ForwardOptions {
  readonly hosts: readonly AllowedHost[];
  /** What a caller has to send in the place of a key: it is worth nothing anywhere else, and nothing when the gateway is closed. */
  readonly token: string;
  /** Path of the socket to listen on. Default: a free port of 127.0.0.1. */
  readonly socket?: string | undefined;
}

export interface Gateway {
  /** The port it listens on; undefined where it is a socket. */
  readonly port: number | undefined;
  /** Ends what is under way, too. */
  close(): Promise<void>;
}

/**
 * The one way out for a run: a reverse proxy to the models' APIs, which puts the keys on, and a proxy to the hosts that the operator
 * allows.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const tunnels = new Set<Duplex>();
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    void answer(options, request, response).catch(() => {
      response.destroy();
    });
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    tunnels.add(socket);
    socket.once('close', () => tunnels.delete(socket));
    void openTunnel(options, request, socket).catch(() => {
      socket.destroy();
    });
  });
  server.listen(options.socket === undefined ? { host: '127.0.0.1', port: 0 } : { path: options.socket });
  await once(server, 'listening');
  return {
    port: options.socket === undefined ? (server.address() as AddressInfo).port : undefined,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of tunnels) socket.destroy();
      await closed;
    },
  };
}

async function answer(options: GatewayOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.startsWith('/') !== true) return fetchPlainly(options, request, response);
  const { searchParams } = new URL(request.url, 'http://gateway');
  if (!hasToken(request.headers, searchParams, options.token)) {
    refuse(response, 401, 'This is not the key that the run was given.');
    return;
  }
  return forwardToModel(options, request, response);
}
