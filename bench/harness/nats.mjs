import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, product, temporaryFolder } from './folders.mjs';
import { endChild, until } from './processes.mjs';

/** A nats-server of the benchmark's own, JetStream on disk, with the defaults that `up` uses; on a free port. @returns its url */
export async function startNats(onEnd) {
  const folder = await temporaryFolder(onEnd);
  const { path } = await natsServer();
  const config = join(folder, 'nats.conf');
  await writeFile(
    config,
    `ports_file_dir: "${folder}"\njetstream { store_dir: "${join(folder, 'store')}", max_file_store: 8GB }\nmax_payload: 8MB\n`,
  );
  const child = spawn(path, ['-c', config, '-a', '127.0.0.1', '-p', '-1', '-l', join(folder, 'server.log')], { stdio: 'ignore' });
  onEnd(() => endChild(child));
  const port = await until(() => portOf(join(folder, `nats-server_${String(child.pid)}.ports`)), { what: 'nats-server' });
  return { url: `nats://127.0.0.1:${port}`, pid: child.pid };
}

/** The nats-server that the tests use, too: found, or fetched once. */
export async function natsServer() {
  const { findOrFetchNatsServer } = await product('shared/nats-server/binary');
  return findOrFetchNatsServer({ home: join(ROOT, '.multi-agent-test') });
}

async function portOf(file) {
  return /nats:\/\/[^"]*:(\d+)/.exec(await readFile(file, 'utf8').catch(() => ''))?.[1];
}
