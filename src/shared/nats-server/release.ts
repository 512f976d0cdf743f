import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../errors/errors.ts';

const run = promisify(execFile);

/** One release of nats-server: where it is and what its archives must hash to. */
export interface NatsRelease {
  readonly version: string;
  /** The folder that holds `nats-server-v<version>-<platform>.tar.gz`. */
  readonly baseUrl: string;
  /** SHA-256 of the archive by platform, `<os>-<arch>`. A platform that is not here is not fetched. */
  readonly sha256: Readonly<Record<string, string>>;
}

/**
 * The pinned release. The checksums are those of the project's own container recipes (nats-io/nats-docker, 2.10.x/alpine3.22). It publishes
 * none for macOS there, so a Mac gets its server from its package manager.
 */
export const PINNED_RELEASE: NatsRelease = {
  version: '2.10.29',
  baseUrl: 'https://github.com/nats-io/nats-server/releases/download/v2.10.29',
  sha256: {
    'linux-amd64': 'e314da74a83a1d3876db8814c27eb990fe729640fd6452025b441bcede8390da',
    'linux-arm64': 'da4b27942ecfb4c5f0c54553d2e7f470ddda9d7581cfe8131b351a0e223ed401',
    'linux-arm7': 'a59e7336a32ef78b0ca8bc3e6707a5770461d3f45c4c2f96cfef263f26eaefd5',
  },
};

const ARCH = { x64: 'amd64', arm64: 'arm64', arm: 'arm7' } as Readonly<Record<string, string>>;

/** This machine as the release names it, for instance `linux-amd64`. */
export function releasePlatform(platform: string = process.platform, arch: string = process.arch): string {
  return `${platform}-${ARCH[arch] ?? arch}`;
}

/**
 * Downloads the release into `folder`, as `nats-server`; the archive is unpacked only once its checksum is right.
 * Gives up connecting after 8 s and downloading after 90 s.
 *
 * @throws Error saying why there is none to be had this way.
 */
export async function fetchRelease(release: NatsRelease, folder: string, platform: string = releasePlatform()): Promise<string> {
  const expected = release.sha256[platform];
  if (expected === undefined) throw new Error(`no checksum of nats-server ${release.version} is known for ${platform}`);
  const name = `nats-server-v${release.version}-${platform}`;
  const archive = await download(`${release.baseUrl}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`the checksum of ${name}.tar.gz is ${actual}, expected ${expected}`);
  return unpack(archive, name, folder);
}

async function unpack(archive: Buffer, name: string, folder: string): Promise<string> {
  const work = await mkdtemp(join(folder, '.release-'));
  try {
    const file = join(work, 'archive.tar.gz');
    await writeFile(file, archive);
    await run('tar', ['-xzf', file, '-C', work, `${name}/nats-server`]);
    await chmod(join(work, name, 'nats-server'), 0o755);
    // Into place by rename: another process never sees half a binary.
    await rename(join(work, name, 'nats-server'), join(folder, 'nats-server'));
    return join(folder, 'nats-server');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(url: string): Promise<Buffer> {
  // fetch of Node 20 knows no proxy; curl does, and where a proxy is set up there is usually a curl.
  const proxied = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].some((name) => Boolean(process.env[name]));
  return proxied ? downloadByCurl(url) : downloadByFetch(url);
}

async function downloadByFetch(url: string): Promise<Buffer> {
  const controller = new AbortController();
  const connecting = setTimeout(() => {
    controller.abort(new Error('no answer within 8 s'));
  }, 8_000);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([controller.signal, AbortSignal.timeout(90_000)]) });
    clearTimeout(connecting);
    if (!response.ok) throw new Error(`HTTP ${String(response.status)}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
    throw new Error(`${url}: ${messageOf(error)}${cause}`, { cause: error });
  } finally {
    clearTimeout(connecting);
  }
}

async function downloadByCurl(url: string): Promise<Buffer> {
  const args = ['-fsSL', '--proto', '=https', '--connect-timeout', '8', '--max-time', '90', url];
  const { stdout } = await run('curl', args, { encoding: 'buffer', maxBuffer: 100_000_000 });
  return stdout;
}
