import type { EffectOutcome } from '../../../shared/domain/effect.ts';
import type { Job, PendingEffect } from '../../../shared/domain/job.ts';
import { InvalidInputError, TerminalError } from '../../../shared/errors/errors.ts';
import type { RepoManagerContext } from '../context.ts';
import { acceptWork } from './accept-work.ts';
import { closeJob } from './close-job.ts';
import { mergeChange } from './merge-change.ts';
import { postReview } from './post-review.ts';
import { prepareRepository } from './prepare-repository.ts';
import { proposeChange } from './propose-change.ts';
import { publishFact } from './publish-fact.ts';
import { revokeTask } from './revoke-task.ts';
import { sendTask } from './send-task.ts';

/**
 * Carries out one effect of a job. Idempotent: it may have been carried out before, whole or in part.
 *
 * @returns how it ended; what trying again can't change is `Refused`
 * @throws whatever may pass: the effect stays pending
 */
export async function carryOut(context: RepoManagerContext, job: Job, pending: PendingEffect): Promise<EffectOutcome> {
  try {
    // A merge has its own queue, one for each base; whatever else there is shares the machine.
    if (pending.effect.type === 'MergeChange') return await dispatch(context, job, pending);
    return await context.slots(() => dispatch(context, job, pending));
  } catch (error) {
    if (error instanceof TerminalError || error instanceof InvalidInputError) {
      return { type: 'Refused', error: { code: error.code, message: error.message, retryable: true } };
    }
    throw error;
  }
}

async function dispatch(context: RepoManagerContext, job: Job, { id, effect }: PendingEffect): Promise<EffectOutcome> {
  switch (effect.type) {
    case 'PrepareRepository':
      return prepareRepository(context, job);
    case 'SendTask':
      return sendTask(context, job, effect);
    case 'AcceptWork':
      return acceptWork(context, job, effect);
    case 'ProposeChange':
      return proposeChange(context, job, effect);
    case 'PostReview':
      return postReview(context, job, effect);
    case 'MergeChange':
      return mergeChange(context, job, effect);
    case 'RevokeTask':
      return revokeTask(context, job, effect);
    case 'PublishEvent':
      return publishFact(context, job, id, effect);
    case 'CloseJob':
      return closeJob(context, job, effect);
  }
}
