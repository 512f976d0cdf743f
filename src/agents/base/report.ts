import type { JetStreamClient } from '@nats-io/jetstream';
import type { JobEvent } from '../../shared/domain/event.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import type { AgentReport } from '../../shared/messages/job-input.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { publishUntilAcknowledged } from '../../shared/messaging/publish.ts';
import type { TaskRole } from '../../shared/domain/ids.ts';

/** Puts a report into INPUTS; resolves when it is stored. The same report twice is one message. */
export async function sendReport(js: JetStreamClient, role: TaskRole, report: AgentReport, signal?: AbortSignal): Promise<void> {
  const kind = report.type === 'TaskStarted' ? '.started' : report.type === 'TaskFailed' ? `.${report.error.code}` : '';
  await publishUntilAcknowledged(js, subjects.input(role, report.jobId), report, {
    messageId: `${report.taskId}.${String(report.dispatch)}.${String(report.attempt)}${kind}`,
    ...(report.traceparent === undefined ? {} : { traceparent: report.traceparent }),
    ...(signal ? { signal } : {}),
  });
}

/** Publishes a fact about a job. `id` makes a repetition the same fact. */
export async function publishEvent(js: JetStreamClient, jobId: string, event: JobEvent, at: number, id: string): Promise<void> {
  await publishUntilAcknowledged(js, subjects.event(jobId, event.type), versioned({ jobId, at, event }), { messageId: id });
}
