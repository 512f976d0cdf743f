import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { openJobReader } from '../../../src/shared/messaging/job-reader.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { submitFeature } from '../../../src/shared/messaging/submit.ts';
import { STREAMS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type CapturedRun, runCaptured } from './captured-cli.ts';
import { openRecords, requestOf } from './records.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let folder: string;

const cli = (...argv: string[]): Promise<CapturedRun> =>
  runCaptured(argv, { env: { NATS_URL: server.url, HOME: folder, MULTI_AGENT_HOME: server.folder }, cwd: folder });
const submit = (...more: string[]): Promise<CapturedRun> => cli('submit-feature', '--json', '--title', 'T', '--description', 'D', ...more);

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test', patience: 'forever' });
  await provisionTopology(nc);
});

afterAll(async () => {
  await nc.close();
  await server.stop();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ma-cli-'));
  execFileSync('git', ['init', '-q', join(folder, 'app')]);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function stored(jobId: string): Promise<FeatureRequest> {
  const found = await (await openJobReader(nc)).request(jobId);
  return FeatureRequest.parse(found?.request);
}

describe('submit-feature', () => {
  it('stores all that was asked for, and prints the job', async () => {
    await writeFile(join(folder, 'feature.md'), '# As it says\n');

    const { exitCode, json } = await cli(
      ...[
        'submit-feature',
        '--json',
        '--repo',
        'app',
        '--title',
        'Add --json',
        '--description',
        '@feature.md',
        '--requirement',
        'one, two',
        '--requirement',
        'three',
      ],
      ...[
        '--requirements',
        'four, five',
        '--acceptance',
        'seen',
        '--branch',
        'develop',
        '--priority',
        'urgent',
        '--merge',
        'manual',
        '--max-rounds',
        '5',
      ],
      ...['--max-cost', '2.50', '--timeout', '1h30m', '--key', 'k'],
    );

    expect([exitCode, json]).toMatchObject([
      0,
      { status: 'PENDING', priority: 'urgent', title: 'Add --json', repository: join(folder, 'app'), branch: 'develop' },
    ]);
    expect(await stored(String(json['id']))).toMatchObject({
      key: 'k',
      feature: { description: '# As it says\n', requirements: ['one, two', 'three', 'four', 'five'], acceptanceCriteria: ['seen'] },
      workflow: { merge: 'manual', maxRounds: 5, maxCostUsd: 2.5, timeoutMs: 5_400_000 },
    });
  });

  it('is the same job with the same key, by whatever path, and another one without', async () => {
    const first = await submit('--repo', 'app', '--key', 'same');
    const again = await submit('--repo', `${folder}/app/../app/.git`, '--key', 'same');
    const other = await submit('--repo', '~/app');

    expect([again.exitCode, again.json]).toEqual([0, first.json]);
    expect(other.json['id']).not.toBe(first.json['id']);
  });

  it('refuses a key that was used for something else, and keeps what was stored', async () => {
    const first = await submit('--repo', 'app', '--key', 'used');

    const conflict = await cli('submit-feature', '--json', '--repo', 'app', '--title', 'Other', '--description', 'D', '--key', 'used');

    expect([conflict.exitCode, conflict.json]).toMatchObject([2, { error: { code: 'key_conflict', details: { differing: ['title'] } } }]);
    expect((await stored(String(first.json['id']))).feature.title).toBe('T');
  });

  it('names every fault at once, and stores nothing', async () => {
    const before = await countRequests();

    const { exitCode, json } = await cli(
      'submit-feature',
      '--json',
      '--repo',
      'nowhere',
      '--description',
      '@missing.md',
      '--priority',
      'max',
      '--timeout',
      '30',
      '--max-rounds',
      '0',
    );

    expect([exitCode, json]).toMatchObject([2, { error: { code: 'invalid_input' } }]);
    const { faults } = (json['error'] as { details: { faults: string[] } }).details;
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      '--repo',
      '--title is missing',
      '--description',
      '--priority',
      '--max-rounds',
      '--timeout',
    ]);
    expect(await countRequests()).toBe(before);
  });

  it.each(['owner/repo', 'https://github.com/owner/repo.git', 'git@github.com:owner/repo.git', 'https://gitlab.example.com/a/b'])(
    'says that no forge is configured for %s',
    async (repo) => {
      const { exitCode, json } = await submit('--repo', repo);

      expect([exitCode, json]).toMatchObject([2, { error: { code: 'forge_not_available' } }]);
    },
  );

  it('refuses a folder that is no repository, and says which one encloses it', async () => {
    await mkdir(join(folder, 'app', 'src'));

    const { exitCode, stderr } = await cli('submit-feature', '--repo', 'app/src', '--title', 'T', '--description', 'D');

    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`did you mean ${folder}/app?`)]);
  });

  it('waits for the end with --wait, and exits with it', async () => {
    const running = submit('--repo', 'app', '--key', 'waited', '--wait');
    const jobId = await appeared();
    const records = await openRecords(nc);
    await records.job(await stored(jobId), {
      status: 'WAITING_APPROVAL',
      phase: 'approving',
      needs: { kind: 'approval', message: 'Look.', command: 'multi-agent approve' },
    });
    const { exitCode, json } = await running;

    expect([exitCode, json]).toMatchObject([6, { id: jobId, status: 'WAITING_APPROVAL', needs: { kind: 'approval' } }]);
  });

  it('stores a request once whose acknowledgement was lost', async () => {
    const request = requestOf({ traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` });
    const jobs = await openJobReader(nc);
    const before = await countRequests();
    const submitting = submitFeature(nc, jobs, request);
    await server.restart();
    await submitting;
    const again = await submitFeature(nc, jobs, request);

    expect(again).toEqual({ request, repeated: false });
    expect(await countRequests()).toBe(before + 1);
  }, 30_000);
});

describe('start-project', () => {
  it('takes the first line of the text as the title', async () => {
    await writeFile(join(folder, 'todo.md'), '\n# A to-do list\n\nWith a CLI.\n');

    const { exitCode, json } = await cli('start-project', '--json', '--repo', 'app', '--requirements', '@todo.md');

    expect([exitCode, json]).toMatchObject([0, { title: 'A to-do list' }]);
    expect((await stored(String(json['id']))).feature.description).toContain('With a CLI.');
  });
});

async function countRequests(): Promise<number> {
  return (await (await jetstreamManager(nc)).streams.info(STREAMS.requests)).state.messages;
}

/** The id of the next request that is stored. */
async function appeared(): Promise<string> {
  const jobs = await openJobReader(nc);
  const before = await countRequests();
  for (;;) {
    if ((await countRequests()) > before) return String((await jobs.list({ limit: 1 })).jobs[0]?.id);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
