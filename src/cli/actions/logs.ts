import type { NatsConnection } from '@nats-io/transport-node';
import type { JobId } from '../../shared/domain/ids.ts';
import { isTerminal } from '../../shared/domain/job.ts';
import { InterruptedError } from '../../shared/errors/errors.ts';
import type { LogBatch } from '../../shared/messages/log-batch.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { followJob, logBatchOf } from '../../shared/messaging/follow.ts';
import { type JobReader, openJobReader } from '../../shared/messaging/job-reader.ts';
import { readStream } from '../../shared/messaging/stream-tail.ts';
import { STREAMS } from '../../shared/messaging/topology.ts';
import type { CliContext } from '../context.ts';
import { logLinesOf } from '../render/log-line.ts';
import { type Style, styleFor } from '../render/style.ts';
import { visibleLines } from '../render/visible.ts';
import { parseJobId, requireJob } from './job-id.ts';

type Print = (batch: LogBatch, seq: number) => void;

/** `logs`: what the runners and checks of a job said, a line each (with `--json` a JSON line each); with `--follow` until it has ended. */
export async function logs(io: CliContext, id: string, { follow = false }: { follow?: boolean }): Promise<void> {
  const jobId = parseJobId(id);
  const nc = await io.connect({ follow });
  const jobs = await openJobReader(nc);
  await requireJob(jobs, jobId);
  const print = printer(io, await styleFor(io, io.stdout));
  if (follow) await followLogs(nc, jobs, jobId, io, print);
  else await readLogs(nc, jobId, print);
}

async function readLogs(nc: NatsConnection, jobId: JobId, print: Print): Promise<void> {
  for await (const message of readStream(nc, { stream: STREAMS.logs, filter: subjects.logsOf(jobId) })) {
    const batch = logBatchOf(message);
    if (batch) print(batch, message.seq);
  }
}

async function followLogs(nc: NatsConnection, jobs: JobReader, jobId: JobId, io: CliContext, print: Print): Promise<void> {
  try {
    // The events only tell when to look whether the job has ended.
    for await (const item of followJob(nc, jobs, jobId, { until: ({ status }) => isTerminal(status), logs: 1, signal: io.interrupted })) {
      if (item.type === 'log') print(item.batch, item.seq);
      if (item.type === 'connection')
        io.note(item.connected ? 'Connected to NATS again.' : 'The connection to NATS is lost; trying again.');
    }
  } catch (error) {
    if (!io.interrupted.aborted) throw error;
    throw new InterruptedError('interrupted', 'Interrupted; the job goes on.', { details: { jobId } });
  }
}

function printer(io: CliContext, style: Style): Print {
  let task = '';
  return (batch, seq) => {
    const lines = logLinesOf(batch, seq);
    if (io.json()) {
      for (const line of lines) io.printJson(line);
      return;
    }
    const current = `${batch.taskId} attempt ${String(batch.attempt)}`;
    if (current !== task) io.print(style.bold(`── ${current} ──`));
    task = current;
    for (const { at, type, text } of lines) {
      // What a model says may have several lines.
      for (const line of visibleLines(text)) io.print(`${style.dim(at.slice(11, 23))} ${markOf(type, style)}${line}`);
    }
  };
}

function markOf(type: string, style: Style): string {
  if (type === 'stdout' || type === 'message') return '';
  return type === 'stderr' || type === 'error' ? style.red('! ') : style.cyan(`[${type}] `);
}
