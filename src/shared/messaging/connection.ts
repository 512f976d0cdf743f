import { readFile } from 'node:fs/promises';
import {
  connect,
  type ConnectionOptions as ClientOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  type NatsConnection,
} from '@nats-io/transport-node';
import { identityOfSeed } from '../config/seed-file.ts';
import { messageOf, UnreachableError } from '../errors/errors.ts';
import { type Identity, inboxPrefixOf } from './permissions.ts';

/** Where NATS is, and who we are there. */
export interface NatsOptions {
  /** One server, or several of a cluster separated by commas: any of them will do, and another when that one is gone. */
  readonly url: string;
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** Who we are: our answers come below a prefix of our own. Default: a person at the CLI. */
  readonly identity?: Identity;
  /** A user credentials file (JWT and seed), or a file with an nkey seed; at most one of them. */
  readonly credsFile?: string | undefined;
  readonly nkeyFile?: string | undefined;
  readonly tls?:
    { readonly caFile?: string | undefined; readonly certFile?: string | undefined; readonly keyFile?: string | undefined } | undefined;
  /**
   * How long to try for the first connection: `forever` for a daemon, milliseconds for a command (default 5,000).
   * A daemon reconnects for ever, too.
   */
  readonly patience?: 'forever' | number;
}

const COMMAND_PATIENCE_MS = 5_000;
const RECONNECT_WAIT_MS = 250;
/** So that a hundred agents do not come back in one moment. */
const RECONNECT_JITTER_MS = 100;
/**
 * A server that hangs (paused, or cut off by a network that drops packets) takes no part in the cluster: a daemon leaves it after two
 * to three missed pings and goes to another one, before the cluster has a new leader. Being wrong about it costs a reconnect.
 */
const PING_EVERY_MS = 1_500;
const PINGS_MISSED = 2;
/** How long one server may take to greet a daemon. */
const GREETING_WITHIN_MS = 2_500;

/**
 * Connects to NATS.
 *
 * @throws UnreachableError `nats_unreachable` when no server answers in time, `nats_refused` when it refuses our credential, or that can't be read
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const patience = options.patience ?? COMMAND_PATIENCE_MS;
  const client = await clientOptions(options);
  try {
    return await connect(
      patience === 'forever'
        ? {
            ...client,
            maxReconnectAttempts: -1,
            waitOnFirstConnect: true,
            timeout: GREETING_WITHIN_MS,
            pingInterval: PING_EVERY_MS,
            maxPingOut: PINGS_MISSED,
          }
        : { ...client, timeout: patience, maxReconnectAttempts: 20 },
    );
  } catch (error) {
    throw asUnreachable(error, options.url);
  }
}

async function clientOptions({ url, name, identity = 'operator', credsFile, nkeyFile, tls }: NatsOptions): Promise<ClientOptions> {
  const authenticator = credsFile
    ? credsAuthenticator(await readCredential(credsFile))
    : nkeyFile
      ? nkeyAuthenticator(new TextEncoder().encode((await readCredential(nkeyFile)).toString('utf8').trim()))
      : undefined;
  return {
    servers: url.split(',').map((server) => server.trim()),
    name,
    // A stack kept for every request, for the one in thousands that fails, is a tenth of all that a daemon computes.
    noAsyncTraces: true,
    reconnectDelayHandler: paced(),
    // A seed that says whose it is knows best.
    inboxPrefix: inboxPrefixOf((nkeyFile === undefined ? undefined : identityOfSeed(nkeyFile)) ?? identity),
    ...(authenticator ? { authenticator } : {}),
    ...(tls ? { tls: definedOnly(tls) } : {}),
  };
}

/**
 * When the client may try a server again, by a clock that is never set. The client itself compares the time of day with that of its last
 * attempt: where the clock was set back by an hour meanwhile, it would not come back for an hour. What it is told is added to that attempt's
 * time: endlessly little means at once, anything else has it wait for so long and ask again.
 */
function paced(): () => number {
  let notBefore = -Infinity;
  return () => {
    const now = performance.now();
    if (now < notBefore) return RECONNECT_WAIT_MS;
    notBefore = now + RECONNECT_WAIT_MS + Math.random() * RECONNECT_JITTER_MS;
    return -Infinity;
  };
}

async function readCredential(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UnreachableError('nats_refused', `The credential ${path} can't be read (${messageOf(error)}).`, { cause: error });
  }
}

function definedOnly(tls: NonNullable<NatsOptions['tls']>): NonNullable<ClientOptions['tls']> {
  return {
    ...(tls.caFile ? { caFile: tls.caFile } : {}),
    ...(tls.certFile ? { certFile: tls.certFile } : {}),
    ...(tls.keyFile ? { keyFile: tls.keyFile } : {}),
  };
}

function asUnreachable(error: unknown, url: string): UnreachableError {
  const message = messageOf(error);
  const refused = /authorization|authentication|permission/i.test(message);
  return refused
    ? new UnreachableError('nats_refused', `NATS at ${url} refuses our credential (${message}). Check NATS_CREDS or NATS_NKEY_FILE.`, {
        cause: error,
      })
    : new UnreachableError(
        'nats_unreachable',
        `NATS at ${url} can't be reached (${message}). Start the system with "multi-agent up", or set NATS_URL.`,
        {
          cause: error,
        },
      );
}
