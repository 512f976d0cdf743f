import type { Effect, EffectOutcome } from '../../../shared/domain/effect.ts';
import type { Job } from '../../../shared/domain/job.ts';
import type { RepoManagerContext } from '../context.ts';

export type PublishFact = Extract<Effect, { type: 'PublishEvent' }>;

/** Half of the stream's duplicate window: what was published for a job that is younger is certainly remembered (milliseconds). */
const REMEMBERED_MS = 60_000;

/**
 * Publishes what happened, once. The server forgets message ids after a while, and an effect may be tried for longer than
 * that: for a job that is old enough it is looked up first. The facts of a job come in the order of their effects.
 */
export async function publishFact(context: RepoManagerContext, job: Job, effectId: number, effect: PublishFact): Promise<EffectOutcome> {
  const event = factOf(job, effect);
  if (Math.abs(context.now() - job.createdAt) > REMEMBERED_MS) {
    const last = await context.bus.lastEventId(job.id, event.type);
    if (last !== null && effectOf(last) >= effectId) return { type: 'Done' };
  }
  await context.bus.publishEvent(job.id, event, job.updatedAt, `${job.id}.effect.${String(effectId)}`);
  return { type: 'Done' };
}

/** A fact is as it was decided; only the change request may have become known since. */
function factOf(job: Job, { event }: PublishFact): typeof event {
  return event.type === 'FeatureResult' && job.changeRequest ? { ...event, changeRequest: job.changeRequest } : event;
}

function effectOf(messageId: string): number {
  return Number(/\.effect\.(\d+)$/.exec(messageId)?.[1] ?? 0);
}
