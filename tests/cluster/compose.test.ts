import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { createUser } from '@nats-io/nkeys';
import { connectNats } from '../../src/shared/messaging/connection.ts';
import { missingCopies, provisionTopology } from '../../src/shared/messaging/provision.ts';
import { STREAMS } from '../../src/shared/messaging/topology.ts';
import { findOrFetchNatsServer } from '../../src/shared/nats-server/binary.ts';
import { waitFor } from '../support/crash/run-points.ts';
import { BINARY_CACHE } from '../support/nats-server.ts';
import { freePort } from '../support/pm2-home.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COMPOSE = readFileSync(new URL('../../docker-compose.nats.yml', import.meta.url), 'utf8');
const NODES = ['nats-1', 'nats-2', 'nats-3'] as const;

/** There is no container engine in the tests: the servers run here, on the very configuration that the file gives them. */
describe('docker-compose.nats.yml', () => {
  const folder = temporaryDirectory('compose');
  const servers: ChildProcess[] = [];
  const user = createUser();
  const nkeyFile = join(folder.path, 'nats.nk');
  let ports: Readonly<Record<string, { client: number; route: number; monitor: number }>>;

  beforeAll(async () => {
    writeFileSync(nkeyFile, Buffer.from(user.getSeed()).toString(), { mode: 0o600 });
    const pairs = NODES.map(
      async (name) => [name, { client: await freePort(), route: await freePort(), monitor: await freePort() }] as const,
    );
    ports = Object.fromEntries(await Promise.all(pairs));
  });
  afterAll(async () => {
    await Promise.all(servers.map(end));
    folder.remove();
  });

  it('gives the profile "cluster" three nodes that keep three copies, and take no connection without the key', async () => {
    const { path } = await findOrFetchNatsServer({ home: BINARY_CACHE });
    for (const name of NODES) servers.push(launch(path, name, onThisMachine(configNamed('cluster'), name)));
    const url = NODES.map((name) => `nats://127.0.0.1:${String(ports[name]?.client)}`).join(',');

    const nc = await connectNats({ url, name: 'test', nkeyFile, patience: 'forever' });
    await waitFor(async () =>
      provisionTopology(nc).then(
        () => true,
        () => false,
      ),
    );

    await waitFor(async () => (await missingCopies(nc)).length === 0);
    expect((await (await jetstreamManager(nc)).streams.info(STREAMS.requests)).config.num_replicas).toBe(3);
    await nc.close();
    await expect(connectNats({ url, name: 'test', patience: 2_000 })).rejects.toMatchObject({ code: 'nats_refused' });
  });

  it('names each node of the profile once, with its own port and volume', () => {
    for (const [index, name] of NODES.entries()) {
      expect(COMPOSE).toContain(`NATS_NODE: ${name},`);
      expect(COMPOSE).toContain(`'127.0.0.1:${String(4231 + index)}:4222'`);
      expect(COMPOSE).toContain(`'${name}:/data'`);
    }
  });

  function launch(binary: string, name: string, config: string): ChildProcess {
    const file = join(folder.path, `${name}.conf`);
    writeFileSync(file, config);
    // As in the container: the configuration takes these from the server's environment.
    const env = { NATS_NODE: name, NATS_NKEY: user.getPublicKey() };
    return spawn(binary, ['-c', file, '-l', join(folder.path, `${name}.log`)], { env, stdio: 'ignore' });
  }

  /** Addresses that exist only between the containers become ports of this machine; nothing else is touched. */
  function onThisMachine(config: string, name: string): string {
    const own = ports[name];
    const changes = [
      ['"0.0.0.0:4222"', `"127.0.0.1:${String(own?.client)}"`],
      ['"0.0.0.0:6222"', `"127.0.0.1:${String(own?.route)}"`],
      ['"127.0.0.1:8222"', `"127.0.0.1:${String(own?.monitor)}"`],
      ['"/data"', `"${join(folder.path, name)}"`],
      ...NODES.map((node) => [`nats://${node}:6222`, `nats://127.0.0.1:${String(ports[node]?.route)}`]),
    ] as [string, string][];
    return changes.reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the configuration has no ${from}`);
      return text.replace(from, to);
    }, config);
  }
});

/** The text of an entry of `configs:`, as compose hands it to the container. */
function configNamed(name: string): string {
  const lines = COMPOSE.split('\n');
  const start = lines.indexOf(`  ${name}:`, lines.indexOf('configs:'));
  const after = lines.slice(start + 2);
  const end = after.findIndex((line) => line !== '' && !line.startsWith('      '));
  return after
    .slice(0, end)
    .map((line) => line.slice(6))
    .join('\n')
    .replaceAll('$$', '$');
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}
