import type { JobEvent } from '../../shared/domain/event.ts';
import { type JobView, viewOf } from '../../shared/domain/view.ts';
import type { FollowItem } from '../../shared/messaging/follow.ts';
import { visible } from '../render/visible.ts';

/** What the live view shows. */
export interface Progress {
  readonly job: JobView | undefined;
  /** Who thinks for the agent that works on it now. */
  readonly runner: string | undefined;
  /** What was said last, oldest first, in one attempt at a task. */
  readonly said: readonly string[];
  /** Which attempt that was. */
  readonly saidIn: string | undefined;
  readonly connected: boolean;
}

export const NO_PROGRESS: Progress = { job: undefined, runner: undefined, said: [], saidIn: undefined, connected: true };

const LINES_KEPT = 5;

/** The progress after something was seen. */
export function progressAfter(progress: Progress, item: FollowItem): Progress {
  switch (item.type) {
    case 'job':
      return { ...progress, job: viewOf(item.job) };
    case 'event':
      return afterEvent(progress, item.message.event);
    case 'log': {
      const lines = item.batch.entries.map(({ text }) => visible(text)).filter((text) => text.trim() !== '');
      const saidIn = attemptName(item.batch.taskId, item.batch.attempt);
      // Another attempt has its own words. Its log may come before the event that tells of it.
      const before = saidIn === progress.saidIn ? progress.said : [];
      return { ...progress, saidIn, said: [...before, ...lines].slice(-LINES_KEPT) };
    }
    case 'connection':
      return { ...progress, connected: item.connected };
  }
}

function afterEvent(progress: Progress, event: JobEvent): Progress {
  if (event.type === 'TaskStarted') {
    const saidIn = attemptName(event.taskId, event.attempt);
    return { ...progress, runner: event.runner, saidIn, said: saidIn === progress.saidIn ? progress.said : [] };
  }
  return event.type === 'TaskSent' ? { ...progress, runner: undefined } : progress;
}

function attemptName(taskId: string, attempt: number): string {
  return `${taskId} ${String(attempt)}`;
}
