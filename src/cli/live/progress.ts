import type { JobEvent } from '../../shared/domain/event.ts';
import { type JobView, viewOf } from '../../shared/domain/view.ts';
import type { FollowItem } from '../../shared/messaging/follow.ts';
import { visible } from '../render/visible.ts';

/** What the live view shows. */
export interface Progress {
  readonly job: JobView | undefined;
  /** Who thinks for the agent that works on it now. */
  readonly runner: string | undefined;
  /** What it said last, oldest first. */
  readonly said: readonly string[];
  readonly connected: boolean;
}

export const NO_PROGRESS: Progress = { job: undefined, runner: undefined, said: [], connected: true };

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
      return { ...progress, said: [...progress.said, ...lines].slice(-LINES_KEPT) };
    }
    case 'connection':
      return { ...progress, connected: item.connected };
  }
}

/** Another task has another runner, and its own words. */
function afterEvent(progress: Progress, event: JobEvent): Progress {
  if (event.type === 'TaskStarted') return { ...progress, runner: event.runner, said: [] };
  return event.type === 'TaskSent' ? { ...progress, runner: undefined, said: [] } : progress;
}
