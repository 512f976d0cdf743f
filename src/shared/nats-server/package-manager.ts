import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Takes nats-server out of Debian's or Ubuntu's package into `folder`, as `nats-server`, for root and for an ordinary user alike.
 *
 * The package is unpacked, not installed: installing it would start a system service on the very port our own server wants.
 * Where the machine has no package lists yet (a fresh container), they are fetched into a folder of our own.
 *
 * @throws Error when there is no apt, no such package, or no way to the mirror.
 */
export async function takeFromPackageManager(folder: string): Promise<string> {
  const work = await mkdtemp(join(folder, '.package-'));
  try {
    await downloadPackage(work);
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get download gave no package');
    await run('dpkg', ['-x', join(work, archive), join(work, 'root')], { timeout: 60_000 });
    return await install(join(work, 'root', 'usr', 'sbin', 'nats-server'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function downloadPackage(work: string): Promise<void> {
  const download = (options: string[]) => run('apt-get', [...APT, ...options, 'download', 'nats-server'], { cwd: work, timeout: 120_000 });
  try {
    await download([]);
  } catch {
    const own = [`-o`, `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${join(work, 'cache')}`];
    await mkdir(join(work, 'lists', 'partial'), { recursive: true });
    await mkdir(join(work, 'cache', 'archives', 'partial'), { recursive: true });
    await run('apt-get', [...APT, ...own, 'update'], { cwd: work, timeout: 180_000 });
    await download(own);
  }
}

const APT = [
  '-q',
  '-o',
  'APT::Sandbox::User=root',
  '-o',
  'Acquire::http::Timeout=8',
  '-o',
  'Acquire::https::Timeout=8',
  '-o',
  'Acquire::Retries=1',
];

async function install(binary: string, folder: string): Promise<string> {
  const target = join(folder, 'nats-server');
  await copyFile(binary, `${target}.new`);
  await chmod(`${target}.new`, 0o755);
  await rename(`${target}.new`, target);
  return target;
}
