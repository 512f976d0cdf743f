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
    messageId: reportIdOf(report),
    ...(report.traceparent === undefined ? {} : { traceparent: report.traceparent }),
    ...(signal ? { signal } : {}),
  });
}

/**
 * What makes a repetition the same report. Each taking-up is told for itself: after a claim was removed its number comes again, and a job
 * that does not hear of an agent that works for nobody can't stop it. Of an attempt's results there is only one.
 */
export function reportIdOf(report: AgentReport): string {
  const attempt = `${report.taskId}.${String(report.dispatch)}.${String(report.attempt)}`;
  switch (report.type) {
    case 'TaskStarted':
      return `${attempt}.started.${report.agentId}.${String(report.at)}`;
    case 'TaskFailed':
      return `${attempt}.${report.error.code}`;
    case 'UsageReported':
      return `${attempt}.usage.${String(report.runs)}`;
    case 'ImplementationResult':
    case 'ReviewResult':
      return attempt;
  }
}

/** Publishes a fact about a job. `id` makes a repetition the same fact. */
export async function publishEvent(js: JetStreamClient, jobId: string, event: JobEvent, at: number, id: string): Promise<void> {
  await publishUntilAcknowledged(js, subjects.event(jobId, event.type), versioned({ jobId, at, event }), { messageId: id });
}
