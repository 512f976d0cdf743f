import { NO_USAGE } from '../../shared/domain/change.ts';
import { AgentId, partsOfTaskId } from '../../shared/domain/ids.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import type { Claim } from '../../shared/messages/agent.ts';
import type { ClaimHolder } from './claim.ts';
import { sendReport } from './report.ts';
import type { AttemptContext } from './task-attempt.ts';

/**
 * Reports the tasks that an earlier incarnation of this agent had in hand when it died: they are sent out again at once
 * and do not wait for their leases to run out.
 */
export async function reportAbandoned(context: Pick<AttemptContext, 'claims' | 'holder' | 'js' | 'worker' | 'now'>): Promise<number> {
  const { agentId } = context.holder;
  const left = (await context.claims.all()).filter(
    ({ value }) => isEarlierSelf(value, context.holder) && !value.handedBack && value.reported !== true,
  );
  for (const { value } of left) {
    await sendReport(context.js, context.worker.role, {
      ...versioned({
        jobId: partsOfTaskId(value.taskId).jobId,
        taskId: value.taskId,
        dispatch: value.dispatch,
        attempt: value.attempt,
        at: context.now(),
      }),
      agentId: AgentId.parse(agentId),
      type: 'TaskFailed',
      error: { code: 'abandoned', message: `${agentId} ended while it had the task.`, retryable: true },
      // What it cost was told run by run.
      usage: NO_USAGE,
    });
  }
  return left.length;
}

/** The same agent of the same home: one of that name elsewhere (`<home>/<start>`) may well be alive. */
function isEarlierSelf(claim: Claim, { agentId, incarnation }: ClaimHolder): boolean {
  const homeOf = (start: string): string => start.split('/')[0] ?? '';
  return claim.agentId === agentId && claim.incarnation !== incarnation && homeOf(claim.incarnation) === homeOf(incarnation);
}
