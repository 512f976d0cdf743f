import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './folders.mjs';
import { endChild, until } from './processes.mjs';
import { Skipped } from './skip.mjs';

const BULLMQ = '5.81.5';

/** A redis-server of the benchmark's own with an append-only file, as its default is (fsync every second). @throws Skipped */
export async function startRedis(onEnd) {
  if (spawnSync('redis-server', ['--version']).error)
    throw new Skipped(
      'redis-server is not on PATH (Debian, Ubuntu: "apt-get install redis-server"; only the program is needed, no service)',
    );
  const folder = await temporaryFolder(onEnd);
  const socket = join(folder, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--appendonly', 'yes', '--save', ''];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  onEnd(() => endChild(child));
  await until(() => child.exitCode !== null || spawnSync('redis-cli', ['-s', socket, 'ping'], { encoding: 'utf8' }).stdout === 'PONG\n', {
    what: 'redis-server',
  });
  return socket;
}

/** BullMQ in a folder of its own: it is no dependency of the product. @returns the folder @throws Skipped */
export async function installBullMq(onEnd) {
  const folder = await temporaryFolder(onEnd);
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const flags = ['--no-audit', '--no-fund', '--silent', '--ignore-scripts', '--prefer-offline'];
  const { status } = spawnSync('npm', ['install', ...flags, `bullmq@${BULLMQ}`], { cwd: folder, timeout: 120_000 });
  if (status !== 0) throw new Skipped(`bullmq@${BULLMQ} could not be installed by npm`);
  return folder;
}

/** BullMQ, from the folder it was installed in. */
export function loadBullMq(folder) {
  return createRequire(join(folder, 'package.json'))('bullmq');
}
