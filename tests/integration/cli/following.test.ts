import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import type { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type CapturedRun, runCaptured } from './captured-cli.ts';
import { openRecords, type Records, requestOf } from './records.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let records: Records;
let request: FeatureRequest;
let interruption: AbortController;
const usage = { inputTokens: 10, outputTokens: 5, costUsd: 0.01 };

beforeEach(async () => {
  interruption = new AbortController();
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test', patience: 'forever' });
  await provisionTopology(nc);
  records = await openRecords(nc);
  request = requestOf();
  await records.request(request);
});

afterEach(async () => {
  // A command that a failed test left behind.
  interruption.abort();
  await nc.close();
  await server.stop();
});

/** Starts a command, and gives a way to wait until it has written something. */
function start(
  argv: readonly string[],
  options: { tty?: boolean } = {},
): { run: Promise<CapturedRun>; wrote: (text: string) => Promise<void> } {
  let all = '';
  const waiting = new Set<() => void>();
  const run = runCaptured(argv, {
    env: { NATS_URL: server.url, MULTI_AGENT_HOME: server.folder },
    ...options,
    signal: interruption.signal,
    onOutput: (text) => {
      all += text;
      for (const look of waiting) look();
    },
  });
  const wrote = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!all.includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void run.then(({ exitCode }) => reject(new Error(`ended with ${String(exitCode)} without ${text}: ${all}`)));
    });
  return { run, wrote };
}

async function end(status: 'COMPLETED' | 'FAILED' | 'CANCELLED'): Promise<void> {
  const error = { code: 'round_limit', message: 'Not approved in 3 rounds.', retryable: true };
  await records.job(request, { status, phase: 'done', finishedAt: Date.now(), ...(status === 'FAILED' ? { error } : {}) });
  await records.event(request.jobId, { type: 'FeatureResult', status, round: 1, usage });
}

describe('logs --follow', () => {
  it('goes on over a restart of NATS, with each line once, until the job has ended', async () => {
    const { run, wrote } = start(['logs', request.jobId, '--follow', '--json']);
    await records.log(request.jobId, ['before 1', 'before 2']);
    await wrote('before 2');

    await server.restart();
    await wrote('Connected to NATS again.');
    await records.log(request.jobId, ['after']);
    await wrote('"after"');
    await records.log(request.jobId, ['last words']);
    await end('COMPLETED');
    const { exitCode, jsonLines } = await run;

    expect(exitCode).toBe(0);
    expect(jsonLines.map((line) => line['text'])).toEqual(['before 1', 'before 2', 'after', 'last words']);
  }, 30_000);

  it('prints what is there of a job that has ended, and ends', async () => {
    await records.log(request.jobId, ['it', 'was']);
    await end('FAILED');

    const { exitCode, jsonLines } = await start(['logs', request.jobId, '--follow', '--json']).run;

    expect([exitCode, jsonLines.map((line) => line['text'])]).toEqual([0, ['it', 'was']]);
  });
});

describe('job-status --watch', () => {
  it.each([
    ['COMPLETED', 0],
    ['FAILED', 1],
    ['CANCELLED', 5],
  ] as const)('prints a line an event, and ends with a job that is %s, exit %i', async (status, code) => {
    const { run, wrote } = start(['job-status', request.jobId, '--watch']);
    await records.event(request.jobId, { type: 'JobAccepted', title: 'Add --json', repository: '/repositories/app', base: 'main' });
    await wrote('accepted, based on main');
    await end(status);
    const { exitCode, stdout } = await run;

    expect(exitCode).toBe(code);
    expect(stdout).toContain(status);
  });

  it('prints a JSON line a state', async () => {
    const { run, wrote } = start(['job-status', request.jobId, '--watch', '--json']);
    await wrote('"PENDING"');
    await records.job(request, { status: 'IN_PROGRESS', phase: 'implementing' });
    await wrote('"implementing"');
    await end('COMPLETED');
    const { jsonLines } = await run;

    expect(jsonLines.map((line) => line['status'])).toEqual(['PENDING', 'IN_PROGRESS', 'COMPLETED']);
  });

  it('shows phase, round, agent, recording and last words on a terminal, and takes them away at the end', async () => {
    const { run, wrote } = start(['job-status', request.jobId, '--watch'], { tty: true });
    const taskId = `${request.jobId}.implement.1`;
    const task = {
      id: taskId,
      role: 'coder' as const,
      round: 1,
      dispatch: 1,
      attempt: 1,
      agentId: 'coder-1',
      startedAt: Date.now(),
      sentAt: Date.now(),
    };
    await records.job(request, { status: 'IN_PROGRESS', phase: 'implementing', round: 1, task });
    await records.event(request.jobId, {
      type: 'TaskStarted',
      taskId,
      role: 'coder',
      round: 1,
      attempt: 1,
      agentId: 'coder-1',
      runner: 'replay (demo.jsonl)',
    });
    await records.log(request.jobId, ['thinking \u001b[31mhard']);

    await wrote('round 1 of 3');
    await wrote('(a recording is played)');
    await wrote('│ thinking hard');
    await end('COMPLETED');
    const { stdout, stderr } = await run;

    expect(stderr).toContain('plays a recording');
    expect(stderr.endsWith('\u001b[0J\u001b[?25h')).toBe(true);
    expect(stdout).toContain('COMPLETED');
  });

  it('is interrupted with 130, and says that the job goes on', async () => {
    const { run, wrote } = start(['job-status', request.jobId, '--watch', '--json']);
    await wrote('"PENDING"');

    interruption.abort();
    const { exitCode, jsonLines } = await run;

    expect(exitCode).toBe(130);
    expect(jsonLines.at(-1)).toMatchObject({ error: { code: 'interrupted', message: expect.stringContaining('goes on') as unknown } });
  });
});
