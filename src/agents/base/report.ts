import type { JetStreamClient } from '@nats-io/jetstream';
import type { JobEvent } from '../../shared/domain/event.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import type { AgentReport } from '../../shared/messages/job-input.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import { publishUntilAcknowledged } from '../../shared/messaging/publish.ts';
import type { TaskRole } from '../../shared/domain/ids.ts';

/** Puts a report into INPUTS; resolves when it is stored. The same report twice is one message. */
export async function sendReport(js: JetStreamClient, role: TaskRole, report: AgentReport, signal?: AbortSignal): Promise<void> {
  await publishUntilAcknowledged(js, subjects.input(role, report.jobId), report, {
    messageId: `${report.taskId}.${String(report.dispatch)}.${String(report.attempt)}${kindOf(report)}`,
    ...(report.traceparent === undefined ? {} : { traceparent: report.traceparent }),
    ...(signal ? { signal } : {}),
  });
}

/** What an attempt has to say comes with ids of its own; of its results there is only one. */
function kindOf(report: AgentReport): string {
  switch (report.type) {
    case 'TaskStarted':
      return '.started';
    case 'TaskFailed':
      return `.${report.error.code}`;
    case 'UsageReported':
      return `.usage.${String(report.runs)}`;
    case 'ImplementationResult':
    case 'ReviewResult':
      return '';
  }
}

/** Publishes a fact about a job. `id` makes a repetition the same fact. */
export async function publishEvent(js: JetStreamClient, jobId: string, event: JobEvent, at: number, id: string): Promise<void> {
  await publishUntilAcknowledged(js, subjects.event(jobId, event.type), versioned({ jobId, at, event }), { messageId: id });
}
