import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type CapturedRun, runCaptured } from './captured-cli.ts';
import { BASE, HEAD, openRecords, type Records, requestOf } from './records.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let records: Records;

const cli = (...argv: string[]): Promise<CapturedRun> =>
  runCaptured(argv, { env: { NATS_URL: server.url, HOME: server.folder, MULTI_AGENT_HOME: server.folder } });

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test' });
  await provisionTopology(nc);
  records = await openRecords(nc);
});

afterAll(async () => {
  await nc.close();
  await server.stop();
});

describe('job-status', () => {
  it('shows a request that no repo-manager has looked at as PENDING', async () => {
    const request = requestOf();
    await records.request(request);

    const { exitCode, json } = await cli('job-status', request.jobId, '--json');

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      id: request.jobId,
      status: 'PENDING',
      phase: 'queued',
      title: 'Add --json',
      repository: '/repositories/app',
      branch: null,
      round: 0,
    });
  });

  it("shows the repo-manager's record where there is one", async () => {
    const request = requestOf();
    await records.request(request);
    await records.job(request, { status: 'IN_PROGRESS', phase: 'reviewing', base: 'main', round: 2 });

    const { json } = await cli('job-status', request.jobId, '--json');

    expect(json).toMatchObject({ status: 'IN_PROGRESS', phase: 'reviewing', branch: 'main', round: 2 });
  });

  it('exits 4 for an id that is nobody’s, 2 for what is no id', async () => {
    const unknown = await cli('job-status', requestOf().jobId, '--json');
    const malformed = await cli('job-status', 'job-1', '--json');

    expect([unknown.exitCode, unknown.json]).toMatchObject([4, { error: { code: 'no_such_job' } }]);
    expect([malformed.exitCode, malformed.json]).toMatchObject([2, { error: { code: 'bad_job_id' } }]);
  });

  it('shows no escape sequence of a title to a person, and all of it to a program', async () => {
    const title = 'Evil \u001b[31mtitle\u001b]0;owned\u0007';
    const request = requestOf({ feature: { title, description: '', requirements: [], acceptanceCriteria: [] } });
    await records.request(request);

    const forPeople = await cli('job-status', request.jobId);
    const forPrograms = await cli('job-status', request.jobId, '--json');

    expect(forPeople.stdout).toContain('Evil title');
    expect(forPeople.stdout).not.toContain('\u001b');
    expect(forPrograms.json['title']).toBe(title);
  });
});

describe('show', () => {
  it('gives feature, verdicts, files and why there is no diff', async () => {
    const request = requestOf();
    await records.request(request);
    const review = { round: 1, decision: 'REQUEST_CHANGES' as const, headCommit: HEAD, summary: 'Tests are missing', comments: [] };
    await records.job(request, {
      status: 'WAITING_APPROVAL',
      phase: 'approving',
      base: 'main',
      baseCommit: BASE,
      headCommit: HEAD,
      host: 'another-host',
      round: 1,
      reviews: [review],
      filesChanged: [{ path: 'src/a.ts', status: 'added', additions: 3, deletions: 0 }],
      needs: { kind: 'approval', message: 'Approve it.', command: `multi-agent approve ${request.jobId}` },
    });

    const { json } = await cli('show', request.jobId, '--json');
    const { stdout } = await cli('show', request.jobId);

    expect(json).toMatchObject({
      feature: { title: 'Add --json' },
      reviews: [review],
      needs: { kind: 'approval' },
      diffNote: expect.stringContaining('host') as unknown,
    });
    expect(stdout).toMatch(/A src\/a\.ts \+3 -0[\s\S]*Round 1: REQUEST_CHANGES[\s\S]*Tests are missing/);
  });
});

describe('logs', () => {
  it('prints each line of each batch, with a number that rises', async () => {
    const request = requestOf();
    await records.request(request);
    await records.log(request.jobId, ['one', 'two']);
    await records.log(requestOf().jobId, ['of another job']);
    await records.log(request.jobId, ['three']);

    const { exitCode, jsonLines } = await cli('logs', request.jobId, '--json');
    const seqs = jsonLines.map((line) => Number(line['seq']));

    expect(exitCode).toBe(0);
    expect(jsonLines.map((line) => line['text'])).toEqual(['one', 'two', 'three']);
    expect(jsonLines[0]).toMatchObject({ jobId: request.jobId, taskId: `${request.jobId}.implement.1`, attempt: 1, type: 'stdout' });
    expect(new Set(seqs).size).toBe(3);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });

  it('prints nothing, and ends, where nothing was said', async () => {
    const request = requestOf();
    await records.request(request);

    const { exitCode, stdout } = await cli('logs', request.jobId);

    expect([exitCode, stdout]).toEqual([0, '']);
  });
});

describe('usage', () => {
  it.each([
    [['bogus'], 'unknown_command'],
    [['job-status'], 'missing_argument'],
    [['job-status', 'a', 'b'], 'excess_arguments'],
    [['list-jobs', '--bogus'], 'unknown_option'],
    [['list-jobs', '--limit'], 'option_missing_argument'],
    [['list-jobs', '--limit', 'x', '--status', 'y'], 'invalid_input'],
    [[], 'missing_command'],
  ])('exits 2 for %j, with %s in JSON', async (argv, code) => {
    const { exitCode, json } = await cli(...argv, '--json');

    expect([exitCode, json]).toMatchObject([2, { error: { code, message: expect.any(String) as unknown } }]);
  });

  it('exits 3 within a few seconds where there is no NATS, and says what to start', async () => {
    const { exitCode, stderr } = await cli('list-jobs', '--nats', 'nats://127.0.0.1:9');

    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/multi-agent up/);
  });
});
