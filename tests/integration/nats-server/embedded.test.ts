import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ensureHome, type HomePaths } from '../../../src/shared/config/home.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { findOrFetchNatsServer } from '../../../src/shared/nats-server/binary.ts';
import {
  clearPort,
  embeddedServerPid,
  refuseForeignServer,
  serverNameOf,
  stopEmbeddedServer,
  waitForEmbeddedServer,
  writeNatsConfig,
} from '../../../src/shared/nats-server/embedded.ts';
import { probePort } from '../../../src/shared/nats-server/probe.ts';
import { BINARY_CACHE, startNatsServer } from '../../support/nats-server.ts';
import { freePort } from '../../support/pm2-home.ts';

jest.setTimeout(60_000);

let binary = '';
let paths: HomePaths;
let port = 0;
let started: ChildProcess[] = [];

beforeAll(async () => {
  binary = (await findOrFetchNatsServer({ home: BINARY_CACHE })).path;
  paths = await ensureHome(await mkdtemp(join(tmpdir(), 'ma-embedded-')));
  port = await freePort();
});
afterEach(async () => {
  await stopEmbeddedServer(paths);
  for (const child of started) child.kill('SIGKILL');
  started = [];
});
afterAll(async () => {
  await rm(paths.home, { recursive: true, maxRetries: 3 });
});

describe('the embedded server', () => {
  it('greets with the name of its home and lets in only who has its credential', async () => {
    await start();

    expect(await probePort(port)).toMatchObject({ kind: 'nats', serverName: serverNameOf(paths.home) });
    const url = `nats://127.0.0.1:${String(port)}`;
    await expect(connectNats({ url, name: 'stranger' })).rejects.toMatchObject({ code: 'nats_refused' });
    const nc = await connectNats({ url, name: 'ours', nkeyFile: paths.natsSeed });
    expect(nc.info).toMatchObject({ jetstream: true, max_payload: 8 * 1024 * 1024 });
    await nc.close();
  });

  it('keeps its credential, which only its owner can read', async () => {
    await writeNatsConfig(paths, port);
    const before = await readFile(paths.natsSeed, 'utf8');

    await writeNatsConfig(paths, port);

    expect(await readFile(paths.natsSeed, 'utf8')).toBe(before);
    expect((await stat(paths.natsSeed)).mode & 0o777).toBe(0o600);
    expect((await stat(paths.natsConfig)).mode & 0o777).toBe(0o600);
  });

  it('is found by its process and ended, whoever started it', async () => {
    const child = await start();

    expect(await embeddedServerPid(paths)).toBe(child.pid);
    await clearPort(paths, port);

    expect(await embeddedServerPid(paths)).toBeUndefined();
    expect(await probePort(port)).toEqual({ kind: 'free' });
  });

  it('is not mistaken for the process that has its number by now', async () => {
    await start();
    await stopEmbeddedServer(paths);

    await writeFile(paths.natsPidFile, String(process.pid));

    expect(await embeddedServerPid(paths)).toBeUndefined();
    await stopEmbeddedServer(paths);
  });

  it('does not start over one of its own whose pid file is gone', async () => {
    const child = await start();
    await rm(paths.natsPidFile);

    await expect(clearPort(paths, port)).rejects.toMatchObject({ code: 'orphan_server' });

    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});

describe('a port that is taken', () => {
  it('by another NATS server is refused, naming it and what to set', async () => {
    const other = await startNatsServer();

    const refused = refuseForeignServer(paths, other.port);

    await expect(refused).rejects.toMatchObject({ code: 'foreign_server' });
    await expect(refused).rejects.toThrow(/another NATS server.*NATS_PORT.*NATS_URL/);
    await other.stop();
  });

  it('by something else is refused', async () => {
    const server = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;

    await expect(refuseForeignServer(paths, taken)).rejects.toThrow(/not a NATS server/);

    server.close();
  });

  it('by something that says nothing is refused, too', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();

    expect(await probePort(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1', 50)).toEqual({ kind: 'other' });

    server.close();
  });
});

async function start(): Promise<ChildProcess> {
  await writeNatsConfig(paths, port);
  const child = spawn(binary, ['-c', paths.natsConfig], { stdio: 'ignore', env: {} });
  started.push(child);
  await waitForEmbeddedServer(paths, port);
  return child;
}
