import { z } from 'zod';
import { NO_USAGE } from '../../shared/domain/change.ts';
import { JobId, partsOfTaskId, TaskId } from '../../shared/domain/ids.ts';
import type { JobInput } from '../../shared/domain/input.ts';
import { subjects } from '../../shared/messages/subjects.ts';
import type { Delivery } from '../../shared/messaging/delivery.ts';
import { jsonOrNull } from '../../shared/messaging/parse.ts';

/** Reports that end an attempt: with one of them gone, its job would wait for what is done already. */
const RESULTS = ['ImplementationResult', 'ReviewResult', 'TaskFailed'] as const;

/** As much of a report as it takes to tell its job; even of one that is wrong otherwise. */
const Identified = z.object({
  type: z.enum(RESULTS),
  jobId: JobId,
  taskId: TaskId,
  dispatch: z.number().int().positive(),
  attempt: z.number().int().positive(),
});

/** What a result that can't be handled means to its job: the attempt has failed. Null where it is no result, or another's than its subject says. */
export function failureOfBuried(
  delivery: Pick<Delivery, 'data' | 'subject'>,
  reason: { code: string; message: string },
  at: number,
): JobInput | null {
  const report = Identified.safeParse(jsonOrNull(delivery.data)).data;
  if (!report) return null;
  const { jobId, role } = partsOfTaskId(report.taskId);
  if (jobId !== report.jobId || delivery.subject !== subjects.input(role, jobId)) return null;
  const { taskId, dispatch, attempt } = report;
  const error = { code: reason.code, message: `The result could not be handled: ${reason.message}`, retryable: true };
  return { type: 'TaskFailed', taskId, dispatch, attempt, error, usage: NO_USAGE, at };
}
