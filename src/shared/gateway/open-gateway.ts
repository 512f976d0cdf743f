import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../config/package-root.ts';
import { isAlive } from '../process/process-table.ts';
import type { WrapCommand } from '../process/run-process.ts';
import type { Sandbox } from '../process/sandbox/sandbox.ts';
import type { AllowedHost } from './allowed-hosts.ts';
import type { ModelCall } from './forward.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { type ConfiguredProvider, configuredProviders } from './providers.ts';

export interface WayOutOptions {
  /** The models' variables as the operator set them: keys and base URLs. Default: none, and no way to a model. */
  readonly models?: Readonly<Record<string, string>>;
  /** What else may be reached out of a sandbox. Default: nothing. */
  readonly hosts?: readonly AllowedHost[];
  readonly sandbox: Pick<Sandbox, 'isolates'>;
  /** `MULTI_AGENT_HOME`: sockets are made in `run/gateways`. */
  readonly home: string;
  readonly onCall?: ((call: ModelCall) => void) | undefined;
}

/** The way out for one run: to the models, and to the hosts that are allowed. */
export interface WayOut {
  /**
   * The models' variables for the run, with base URLs that lead to the gateway, and in the place of each key a token that is good for this run
   * alone; the variables that name a proxy.
   */
  readonly environment: Readonly<Record<string, string>>;
  /** The token, which is to be taken out of what the run says; undefined where there is none. */
  readonly token: string | undefined;
  /** What has to be readable inside of a sandbox. */
  readonly readable: readonly string[];
  /** To be applied before the sandbox's own. */
  readonly wrap: WrapCommand;
  /** From now on the token is worth nothing. */
  close(): Promise<void>;
}

const NO_WAY_OUT: WayOut = { environment: {}, token: undefined, readable: [], wrap: (command) => command, close: () => Promise.resolve() };

/** Inside of a sandbox, where every run has a network of its own. */
const PORT_INSIDE = 47_151;
const RELAY = join(PACKAGE_ROOT, 'dist', 'shared', 'process', 'sandbox', 'relay.js');
/** A socket's path has room for 107 characters (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

/**
 * Opens the way out for a run. The keys stay outside: a gateway of ours puts them on. A sandbox's network is its own: there the gateway's socket
 * is shown, and a relay inside listens for it. Without a sandbox everything can be reached anyway, and only the models go through the gateway.
 */
export async function openWayOut({ models = {}, hosts = [], sandbox, home, onCall }: WayOutOptions): Promise<WayOut> {
  const providers = configuredProviders(models);
  const reachable = sandbox.isolates ? hosts : [];
  if (providers.length + reachable.length === 0) return { ...NO_WAY_OUT, environment: models };
  const token = `run-${randomBytes(24).toString('base64url')}`;
  const options = { providers, hosts: reachable, token, onCall };
  const environmentAt = (port: number): Record<string, string> => ({
    ...modelVariables(providers, models, token, port),
    ...(reachable.length === 0 ? {} : proxyVariables(token, port)),
  });
  if (!sandbox.isolates) {
    const gateway = await startGateway(options);
    return { ...NO_WAY_OUT, environment: environmentAt(gateway.port ?? PORT_INSIDE), token, close: gateway.close };
  }
  const { socket, remove } = await makeSocketPath(home);
  const gateway = await startGateway({ ...options, socket });
  // Who is inside is another user where the daemon is root; nobody else gets into the folder.
  await chmod(socket, 0o666);
  return {
    environment: environmentAt(PORT_INSIDE),
    token,
    readable: [socket, RELAY],
    wrap: (command) => ({ ...command, argv: [process.execPath, RELAY, socket, String(PORT_INSIDE), ...command.argv] }),
    close: () => closeBoth(gateway, remove),
  };
}

async function closeBoth(gateway: Gateway, remove: () => Promise<void>): Promise<void> {
  await gateway.close();
  await remove();
}

function modelVariables(
  providers: readonly ConfiguredProvider[],
  models: Readonly<Record<string, string>>,
  token: string,
  port: number,
): Record<string, string> {
  const replaced = providers.flatMap(({ provider, credential }) => [
    [credential.variable, token],
    [provider.base.variable, `http://127.0.0.1:${String(port)}/${provider.name}`],
  ]);
  const names = new Set(providers.flatMap(({ provider }) => provider.credentials.map(({ variable }) => variable)));
  const kept = Object.entries(models).filter(([name]) => !names.has(name));
  return Object.fromEntries([...kept, ...replaced]) as Record<string, string>;
}

/** As curl, git, npm, pip, cargo and go read them; in both cases, for each of them has its own custom. */
function proxyVariables(token: string, port: number): Record<string, string> {
  const proxy = `http://run:${token}@127.0.0.1:${String(port)}`;
  const own = '127.0.0.1,localhost,::1';
  return { HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: own, no_proxy: own };
}

/** In the home, where that leaves room for a name. */
async function makeSocketPath(home: string): Promise<{ socket: string; remove: () => Promise<void> }> {
  const own = join(home, 'run', 'gateways');
  const socket = join(own, `${String(process.pid)}-${randomUUID().slice(0, 8)}.sock`);
  if (socket.length <= LONGEST_SOCKET_PATH) {
    await mkdir(own, { recursive: true, mode: 0o700 });
    await removeLeft(own);
    return { socket, remove: () => rm(socket, { force: true }) };
  }
  const folder = await mkdtemp(join(tmpdir(), 'ma-gateway-'));
  return { socket: join(folder, 'gateway.sock'), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Sockets of daemons that were killed. */
async function removeLeft(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => !isAlive(Number.parseInt(name, 10)));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}
