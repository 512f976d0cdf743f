import { access } from 'node:fs/promises';
import { homePaths } from './home.ts';
import type { Config, Environment } from './load.ts';
import { InvalidInputError } from '../errors/errors.ts';
import type { Identity } from '../messaging/permissions.ts';
import { seedBeside } from './seed-file.ts';
import { VARIABLES } from './variables.ts';
import { readRuntime } from './runtime.ts';

/** Where NATS is and how to log in; goes straight into `connectNats`. */
export interface Connection {
  readonly url: string;
  readonly nkeyFile?: string | undefined;
  readonly credsFile?: string | undefined;
  /** Who that is; decides where answers come to. Default: a person. */
  readonly identity?: Identity;
  readonly tls?:
    { readonly caFile?: string | undefined; readonly certFile?: string | undefined; readonly keyFile?: string | undefined } | undefined;
  /** What said so. */
  readonly source: 'flag' | 'environment' | 'runtime' | 'default';
  /** Is it the server that `up` starts? */
  readonly embedded: boolean;
}

export interface ResolveOptions {
  readonly config: Config;
  /** `--nats`. */
  readonly flag?: string | undefined;
  /** Tells a `NATS_PORT` that was set from the default. Default: this process's. */
  readonly env?: Environment;
}

/**
 * Where the system is: the flag, else `NATS_URL` or `NATS_PORT`, else what `up` left in the home, else 127.0.0.1:4222. The credential comes
 * from the environment, else from what `up` left when it is about the same server.
 */
export async function resolveConnection({ config, flag, env = process.env }: ResolveOptions): Promise<Connection> {
  requireUrl(flag);
  const paths = homePaths(config.home);
  const runtime = await readRuntime(paths);
  const local = `nats://127.0.0.1:${String(config.natsPort)}`;
  const given = flag ?? config.natsUrl;
  const source =
    flag !== undefined ? 'flag' : given !== undefined || Boolean(env['NATS_PORT']) ? 'environment' : runtime ? 'runtime' : 'default';
  const url = source === 'runtime' && runtime ? runtime.url : (given ?? local);
  if (source === 'runtime' || runtime?.url === url)
    return { url, source, embedded: runtime?.embedded ?? false, ...merged(config, runtime) };
  const seed = given === undefined && (await exists(paths.natsSeed)) ? paths.natsSeed : undefined;
  return {
    url,
    source,
    embedded: given === undefined,
    ...merged(config, seed === undefined ? undefined : { nkeyFile: seed }),
  };
}

/**
 * The same server as somebody. A seed that is named after an identity lies beside those of the others: then the identity's own is taken,
 * where there is one. Any other credential is everybody's.
 */
export async function asIdentity(connection: Connection, identity: Identity): Promise<Connection> {
  const own = connection.nkeyFile === undefined ? undefined : seedBeside(connection.nkeyFile, identity);
  return { ...connection, identity, ...(own !== undefined && (await exists(own)) ? { nkeyFile: own } : {}) };
}

/** @throws InvalidInputError `bad_input` for a flag that NATS_URL would be refused for */
function requireUrl(flag: string | undefined): void {
  if (flag === undefined) return;
  const { success, error } = VARIABLES.natsUrl.schema.safeParse(flag);
  if (!success)
    throw new InvalidInputError('bad_input', [
      `--nats ${error.issues.map(({ message }) => message).join(', ')} (it is ${JSON.stringify(flag)})`,
    ]);
}

type Credential = Pick<Connection, 'nkeyFile' | 'credsFile' | 'tls'>;
type Files = Readonly<Partial<Record<'nkeyFile' | 'credsFile' | 'caFile' | 'certFile' | 'keyFile', string | undefined>>>;

/** A credential in the environment replaces the remembered one as a whole: two at once would be refused. */
function merged(config: Config, remembered: Files | undefined): Credential {
  const own: Files = definedOnly({
    nkeyFile: config.natsNkeyFile,
    credsFile: config.natsCreds,
    caFile: config.natsCaFile,
    certFile: config.natsCertFile,
    keyFile: config.natsKeyFile,
  });
  const { nkeyFile, credsFile, ...tls } = Object.keys(own).length > 0 ? own : definedOnly(filesOf(remembered));
  return { ...definedOnly({ nkeyFile, credsFile }), ...(Object.keys(tls).length > 0 ? { tls } : {}) };
}

function filesOf(from: Files | undefined): Files {
  return {
    nkeyFile: from?.nkeyFile,
    credsFile: from?.credsFile,
    caFile: from?.caFile,
    certFile: from?.certFile,
    keyFile: from?.keyFile,
  };
}

function definedOnly<T extends object>(files: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
