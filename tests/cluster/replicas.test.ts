import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from '../../src/shared/messaging/connection.ts';
import { missingCopies, provisionTopology, requireTopology } from '../../src/shared/messaging/provision.ts';
import { bucketPlans, consumerPlans, streamPlans } from '../../src/shared/messaging/topology.ts';
import { type CapturedRun, runCaptured } from '../integration/cli/captured-cli.ts';
import { type NatsCluster, startNatsCluster } from '../support/nats-cluster.ts';
import { startNatsServer } from '../support/nats-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { waitFor } from '../support/crash/run-points.ts';

const STREAM_NAMES = [
  ...streamPlans.map(({ name }) => name),
  ...bucketPlans.map(({ name, kind }) => `${kind === 'kv' ? 'KV' : 'OBJ'}_${name}`),
];

describe('copies on a cluster of three nodes', () => {
  let cluster: NatsCluster;
  let nc: NatsConnection;
  let jsm: JetStreamManager;
  let home: ReturnType<typeof temporaryDirectory>;

  const topology = (replicas: string | undefined, ...argv: string[]): Promise<CapturedRun> => {
    const env = { NATS_URL: cluster.url, MULTI_AGENT_HOME: home.path, ...(replicas === undefined ? {} : { NATS_REPLICAS: replicas }) };
    return runCaptured(['topology', ...argv, '--json'], { env });
  };
  const copies = async (): Promise<number[]> => {
    const infos = await Promise.all(STREAM_NAMES.map((name) => jsm.streams.info(name)));
    return [...new Set(infos.map(({ config }) => config.num_replicas))];
  };

  beforeAll(async () => {
    home = temporaryDirectory('cluster');
    cluster = await startNatsCluster();
    nc = await connectNats({ url: cluster.url, name: 'test', patience: 'forever' });
    jsm = await jetstreamManager(nc, { checkAPI: false });
  });
  afterAll(async () => {
    await nc.close();
    await cluster.stop();
    home.remove();
  });

  it('are three where nobody said how many, of streams, buckets and consumers alike', async () => {
    await provisionTopology(nc);

    await waitFor(async () => (await missingCopies(nc)).length === 0);
    expect(await copies()).toEqual([3]);
    for (const { stream, name } of consumerPlans) expect((await jsm.consumers.info(stream, name)).cluster?.replicas).toHaveLength(2);
  });

  it('become one, and three again, as NATS_REPLICAS says', async () => {
    const one = await topology('1', '--apply');
    const [asOne, differs] = [await copies(), await topology('3')];
    const three = await topology('3', '--apply');

    expect([one.exitCode, asOne]).toEqual([0, [1]]);
    expect([differs.exitCode, differs.json]).toMatchObject([1, { matches: false }]);
    expect(differs.json['differences']).toContainEqual({ what: 'stream REQUESTS', field: 'num_replicas', wanted: 3, found: 1 });
    expect([three.exitCode, three.json, await copies()]).toMatchObject([0, { matches: true, differences: [] }, [3]]);
  });

  it('stay as they are where nobody says how many: another machine need not know', async () => {
    await topology('1', '--apply');

    const applied = await topology(undefined, '--apply');

    expect([applied.exitCode, await copies()]).toEqual([0, [1]]);
    await expect(requireTopology(nc, { replicas: undefined })).resolves.toBeUndefined();
    await expect(requireTopology(nc, { replicas: 3 })).rejects.toMatchObject({ code: 'topology_differs' });
  });

  it('more than there are nodes are refused, saying what to do', async () => {
    const refused = await topology('5', '--apply');

    expect([refused.exitCode, refused.json]).toMatchObject([2, { error: { code: 'replicas_not_possible' } }]);
    expect(refused.stdout).toMatch(/fewer than 5 nodes.*NATS_REPLICAS=3 or 1/);
  });

  it('that a lost node had are shown as missing until it is back', async () => {
    await topology('3', '--apply');
    const node = cluster.nodes[2];
    await node?.kill9();

    let lost = await topology('3');
    // Without a leader, for some seconds, there is no telling.
    await waitFor(async () => Array.isArray((lost = await topology('3')).json['differences']) && lost.exitCode === 1);
    await node?.revive();

    expect(lost.json['differences']).toContainEqual({ what: 'stream REQUESTS', field: 'copies up to date', wanted: 3, found: 2 });
    await waitFor(async () => (await topology('3')).exitCode === 0);
  });
});

describe('copies on a server by itself', () => {
  it('are one; more are refused, saying what to do', async () => {
    const server = await startNatsServer();
    const env = { NATS_URL: server.url, MULTI_AGENT_HOME: server.folder };

    const applied = await runCaptured(['topology', '--apply', '--json'], { env });
    const refused = await runCaptured(['topology', '--apply', '--json'], { env: { ...env, NATS_REPLICAS: '3' } });
    await server.stop();

    expect(applied.exitCode).toBe(0);
    expect([refused.exitCode, refused.json]).toMatchObject([2, { error: { code: 'replicas_not_possible' } }]);
    expect(refused.stdout).toMatch(/is no cluster.*NATS_REPLICAS=1/);
  });
});
