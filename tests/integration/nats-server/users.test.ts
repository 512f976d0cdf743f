import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createUser } from '@nats-io/nkeys';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { prepareServer } from '../../../src/cli/daemons/server.ts';
import { ensureHome, type HomePaths } from '../../../src/shared/config/home.ts';
import { seedFile } from '../../../src/shared/config/seed-file.ts';
import { openBucket } from '../../../src/shared/messaging/bucket.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import type { Identity } from '../../../src/shared/messaging/permissions.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { createTaskPuller } from '../../../src/shared/messaging/pull.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { BUCKETS, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { findOrFetchNatsServer } from '../../../src/shared/nats-server/binary.ts';
import { serverNameOf, stopEmbeddedServer, waitForEmbeddedServer, writeNatsConfig } from '../../../src/shared/nats-server/embedded.ts';
import { updateUsers } from '../../../src/shared/nats-server/reload.ts';
import { BINARY_CACHE } from '../../support/nats-server.ts';
import { freePort } from '../../support/pm2-home.ts';

jest.setTimeout(60_000);

let binary = '';
let paths: HomePaths;
let port = 0;
let started: ChildProcess[] = [];
let connections: NatsConnection[] = [];

beforeEach(async () => {
  binary = (await findOrFetchNatsServer({ home: BINARY_CACHE })).path;
  paths = await ensureHome(await mkdtemp(join(tmpdir(), 'ma-users-')));
  port = await freePort();
});
afterEach(async () => {
  await Promise.all(connections.map((nc) => nc.close()));
  await stopEmbeddedServer(paths);
  for (const child of started) child.kill('SIGKILL');
  [started, connections] = [[], []];
  await rm(paths.home, { recursive: true, maxRetries: 3 });
});

describe('the users of a running server', () => {
  it('grow without a restart, and those there are stay connected', async () => {
    await writeNatsConfig(paths, port, ['coder-1']);
    await start();
    await provisionTopology(await connect('provisioner'));
    const first = await connect('coder-1');
    const pid = started[0]?.pid;

    await updateUsers(paths, port, ['coder-1', 'coder-2', 'reviewer-1']);

    const [second, manager] = [await connect('coder-2'), await connect('repo-manager-1')];
    manager.publish(subjects.task('coder', 'high'), 'one');
    manager.publish(subjects.task('coder', 'high'), 'two');
    await manager.flush();
    for (const nc of [second, first]) {
      const puller = createTaskPuller(nc, 'coder', rethrow);
      await (await puller.next(AbortSignal.timeout(5_000))).ack();
    }
    expect([started[0]?.pid, started[0]?.exitCode]).toEqual([pid, null]);
    expect((await stat(seedFile(paths.run, 'coder-2'))).mode & 0o777).toBe(0o600);
  });

  it('are told to it again when they are only in its file', async () => {
    await writeNatsConfig(paths, port, []);
    await start();
    await provisionTopology(await connect('provisioner'));
    // An `up` that was killed right after it had written the configuration.
    await writeNatsConfig(paths, port, ['coder-1'], { running: true });

    await updateUsers(paths, port, ['coder-1']);

    const coder = await connect('coder-1');
    expect(await createTaskPuller(coder, 'coder', rethrow).next(AbortSignal.timeout(700)).catch(String)).toContain('Timeout');
  });

  it('are not reloaded when all of them are known', async () => {
    await writeNatsConfig(paths, port, ['coder-1']);
    await start();
    await provisionTopology(await connect('provisioner'));

    await updateUsers(paths, port, ['coder-1']);

    expect(await readFile(paths.logFile('nats'), 'utf8')).not.toContain('Reloaded');
  });
});

describe('a home of a version without users', () => {
  it('keeps all it has, and its common key is good for nothing', async () => {
    const common = createUser();
    const old = join(paths.run, 'nats.nk');
    await writeFile(old, common.getSeed(), { mode: 0o600 });
    await writeFile(
      paths.natsConfig,
      `listen: "127.0.0.1:${String(port)}"\npid_file: "${paths.natsPidFile}"\nserver_name: "${serverNameOf(paths.home)}"
       jetstream { store_dir: "${paths.nats}", max_file_store: 4GB }
       authorization { users: [ { nkey: ${common.getPublicKey()} } ] }`,
    );
    const child = spawn(binary, ['-c', paths.natsConfig], { stdio: 'ignore', env: {} });
    started.push(child);
    await waitForEmbeddedServer(paths, port);
    const before = await connectNats({ url: url(), name: 'old', nkeyFile: old });
    await provisionTopology(before);
    await (await openBucket(before, BUCKETS.jobs, z.unknown())).put('job-1', { kept: true });
    before.publish(subjects.task('coder', 'low'), 'waits');
    await before.flush();
    await before.close();
    await stopEmbeddedServer(paths);
    const plan = {
      paths,
      port,
      connection: { url: url(), source: 'default', embedded: true },
      nats: undefined,
      agents: [],
      provisions: true,
    } as const;

    await prepareServer(plan);
    await start();

    await provisionTopology(await connect('provisioner'));
    const operator = await connect('operator');
    const jsm = await jetstreamManager(operator, { checkAPI: false });
    expect((await (await openBucket(operator, BUCKETS.jobs, z.unknown())).get('job-1'))?.value).toEqual({ kept: true });
    expect((await jsm.streams.info(STREAMS.tasks)).state.messages).toBe(1);
    await expect(stat(old)).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(old, common.getSeed());
    await expect(connectNats({ url: url(), name: 'old', nkeyFile: old })).rejects.toMatchObject({ code: 'nats_refused' });
  });
});

function url(): string {
  return `nats://127.0.0.1:${String(port)}`;
}

async function start(): Promise<void> {
  started.push(spawn(binary, ['-c', paths.natsConfig], { stdio: 'ignore', env: {} }));
  await waitForEmbeddedServer(paths, port);
}

async function connect(identity: Identity): Promise<NatsConnection> {
  const nc = await connectNats({ url: url(), name: identity, nkeyFile: seedFile(paths.run, identity) });
  connections.push(nc);
  return nc;
}

function rethrow(error: unknown): never {
  throw error;
}
