import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Job } from '../../../src/shared/domain/job.ts';
import type { DeadLetter } from '../../../src/shared/messages/agent.ts';
import { versioned } from '../../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../../src/shared/messages/feature-request.ts';
import { CommandMessage } from '../../../src/shared/messages/job-input.ts';
import { subjects } from '../../../src/shared/messages/subjects.ts';
import { connectNats } from '../../../src/shared/messaging/connection.ts';
import { provisionTopology } from '../../../src/shared/messaging/provision.ts';
import { REPO_MANAGER_CONSUMER, STREAMS } from '../../../src/shared/messaging/topology.ts';
import { startNatsServer, type TestNatsServer } from '../../support/nats-server.ts';
import { type CapturedRun, runCaptured } from './captured-cli.ts';
import { HEAD, openRecords, type Records, requestOf } from './records.ts';

let server: TestNatsServer;
let nc: NatsConnection;
let records: Records;
let request: FeatureRequest;

const cli = (...argv: string[]): Promise<CapturedRun> =>
  runCaptured([...argv, '--json'], { env: { NATS_URL: server.url, MULTI_AGENT_HOME: server.folder } });

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

beforeEach(async () => {
  request = requestOf();
  await records.request(request);
});

const waiting: Partial<Job> = { status: 'WAITING_APPROVAL', phase: 'approving', headCommit: HEAD, round: 1 };

/** Takes the next command as a repo-manager does, and answers it in the job's record. */
async function answer(accepted: boolean, changes: Partial<Job>, message?: string): Promise<CommandMessage> {
  const consumer = await jetstream(nc).consumers.get(STREAMS.inputs, REPO_MANAGER_CONSUMER);
  const taken = await consumer.next({ expires: 5_000 });
  if (!taken) throw new Error('no command came');
  const command = CommandMessage.parse(taken.json());
  await records.job(request, {
    ...changes,
    commands: [{ id: command.commandId, accepted, ...(message === undefined ? {} : { message }) }],
  });
  await taken.ackAck();
  return command;
}

async function inputs(): Promise<number> {
  return (await (await jetstreamManager(nc)).streams.info(STREAMS.inputs)).state.messages;
}

describe('a command', () => {
  it('is sent, and the job printed as it is once it was taken up', async () => {
    await records.job(request, { status: 'IN_PROGRESS', phase: 'implementing' });

    const running = cli('stop-job', request.jobId);
    const command = await answer(true, { status: 'CANCELLED', phase: 'done' });
    const { exitCode, json } = await running;

    expect(command).toMatchObject({ type: 'StopJob', jobId: request.jobId });
    expect([exitCode, json]).toMatchObject([0, { id: request.jobId, status: 'CANCELLED' }]);
  });

  it('that is refused exits 2 with the reason', async () => {
    await records.job(request, waiting);

    const running = cli('reject', request.jobId, '--comment', 'No.');
    const command = await answer(false, { status: 'IN_PROGRESS' }, 'The job waits for no approval.');
    const { exitCode, json } = await running;

    expect(command).toMatchObject({ type: 'RejectJob', comment: 'No.' });
    expect([exitCode, json]).toMatchObject([2, { error: { code: 'refused', message: 'The job waits for no approval.' } }]);
  });

  it('is stored, exit 3, when no repo-manager takes it up', async () => {
    await records.job(request, waiting);
    const before = await inputs();

    const { exitCode, json } = await cli('approve', request.jobId);

    expect([exitCode, json]).toMatchObject([3, { error: { code: 'no_repo_manager', details: { stored: true } } }]);
    expect(await inputs()).toBe(before + 1);
    await answer(true, {});
  }, 30_000);

  it('about an unknown job exits 4', async () => {
    expect((await cli('stop-job', requestOf().jobId)).exitCode).toBe(4);
  });
});

describe('stop-job', () => {
  it.each([
    ['CANCELLED', 0],
    ['FAILED', 0],
    ['COMPLETED', 1],
  ] as const)('sends nothing to a job that is %s, exit %i', async (status, code) => {
    await records.job(request, { status, phase: 'done' });
    const before = await inputs();

    const { exitCode, json } = await cli('stop-job', request.jobId);

    expect([exitCode, json['status'], await inputs()]).toEqual([code, status, before]);
  });
});

describe('approve', () => {
  it('names the full head for a short one', async () => {
    await records.job(request, waiting);

    const running = cli('approve', request.jobId, '--head', HEAD.slice(0, 8));
    const command = await answer(true, { status: 'IN_PROGRESS', phase: 'merging' });

    expect((await running).exitCode).toBe(0);
    expect(command).toMatchObject({ type: 'ApproveJob', headCommit: HEAD });
  });

  it.each([
    ['dddddddd', 'head_moved'],
    ['d'.repeat(40), 'head_moved'],
    ['ccc', 'bad_head'],
  ])('of %s is refused as %s', async (head, code) => {
    await records.job(request, waiting);

    const { exitCode, json } = await cli('approve', request.jobId, '--head', head);

    expect([exitCode, json]).toMatchObject([2, { error: { code } }]);
  });

  it('again, while it is being merged or is merged, is done', async () => {
    await records.job(request, { status: 'IN_PROGRESS', phase: 'merging', headCommit: HEAD });
    const merging = await cli('approve', request.jobId);
    await records.job(request, { status: 'COMPLETED', phase: 'done', headCommit: HEAD });
    const merged = await cli('approve', request.jobId);

    expect([merging.exitCode, merged.exitCode]).toEqual([0, 0]);
  });
});

describe('retry', () => {
  it('waits for a job that has failed to go on', async () => {
    await records.job(request, { status: 'FAILED', phase: 'done' });

    const running = cli('retry', request.jobId);
    await answer(true, { status: 'IN_PROGRESS', phase: 'implementing' });
    const { exitCode, json } = await running;

    expect([exitCode, json]).toMatchObject([0, { status: 'IN_PROGRESS' }]);
  });

  it('of a merged job exits 2', async () => {
    await records.job(request, { status: 'COMPLETED', phase: 'done' });

    expect((await cli('retry', request.jobId)).exitCode).toBe(2);
  });
});

describe('dead', () => {
  const payload = Buffer.from([0x7b, 0xff, 0x00]);

  async function deadLetter(more: Partial<DeadLetter> = {}): Promise<number> {
    const letter = {
      at: Date.now(),
      stream: STREAMS.tasks,
      subject: subjects.task('coder', 'normal'),
      streamSeq: 7,
      deliveries: 5,
      reason: { code: 'bad_message', message: 'not JSON' },
      payload: payload.toString('base64'),
      ...more,
    };
    return (await jetstream(nc).publish(subjects.dead('coder'), JSON.stringify(versioned(letter)))).seq;
  }

  it('lists letters, newest first', async () => {
    const [older, newer] = [await deadLetter(), await deadLetter()];

    const { json } = await cli('dead', 'list');

    expect((json['letters'] as { seq: number }[]).map(({ seq }) => seq).slice(0, 2)).toEqual([newer, older]);
    expect(json['letters']).toMatchObject([{ subject: 'task.coder.normal', reason: { code: 'bad_message' } }, {}]);
  });

  it('sends a message back byte for byte, and drops the letter', async () => {
    const seq = await deadLetter();

    const { exitCode } = await cli('dead', 'retry', String(seq));
    const consumer = await jetstream(nc).consumers.get(STREAMS.tasks, 'coder-normal');
    const message = await consumer.next({ expires: 2_000 });
    await message?.ackAck();
    const again = await cli('dead', 'retry', String(seq));

    expect([exitCode, Buffer.from(message?.data ?? [])]).toEqual([0, payload]);
    expect([again.exitCode, again.json]).toMatchObject([4, { error: { code: 'no_such_letter' } }]);
  });

  it('sends nothing out again that would do nothing, or harm', async () => {
    await records.job(request, { status: 'FAILED', phase: 'done' });
    const body = Buffer.from(JSON.stringify(request)).toString('base64');
    const asRequest = { stream: STREAMS.requests, subject: subjects.request(request.jobId), payload: body };
    const cases = [{ cut: true }, { payload: body }, asRequest];

    const codes: unknown[] = [];
    for (const letter of cases) {
      const refused = await cli('dead', 'retry', String(await deadLetter(letter)));
      codes.push([refused.exitCode, (refused.json['error'] as { code: string }).code]);
    }

    expect(codes).toEqual([
      [2, 'letter_cut'],
      [2, 'task_of_a_job'],
      [2, 'job_exists'],
    ]);
  });

  it('drops a letter', async () => {
    const seq = await deadLetter();

    const dropped = await cli('dead', 'drop', String(seq));
    const { json } = await cli('dead', 'list');

    expect(dropped.exitCode).toBe(0);
    expect((json['letters'] as { seq: number }[]).map((letter) => letter.seq)).not.toContain(seq);
  });
});

describe('topology', () => {
  it('says what differs, exit 1, and brings it in line with --apply', async () => {
    await (await jetstreamManager(nc)).streams.update(STREAMS.events, { max_age: 3_600_000_000_000 });

    const differs = await cli('topology');
    const applied = await cli('topology', '--apply');

    expect([differs.exitCode, differs.json]).toMatchObject([
      1,
      { matches: false, differences: [{ what: 'stream EVENTS', field: 'max_age' }] },
    ]);
    expect([applied.exitCode, applied.json]).toMatchObject([0, { matches: true, differences: [] }]);
  });
});
