import type { FollowItem } from '../../shared/messaging/follow.ts';
import type { CliContext, Output } from '../context.ts';
import { eventLine } from '../render/event-line.ts';
import { plainStyle, type Style, styleFor } from '../render/style.ts';
import { frameOf } from './frame.ts';
import { createPainter } from './painter.ts';
import { NO_PROGRESS, progressAfter } from './progress.ts';

/** Shows a job as it goes on. */
export interface JobDisplay {
  show(item: FollowItem): void;
  /** Ends the display; safe to repeat. */
  end(): void;
}

/** At most ten frames a second. */
const FRAME_EVERY_MS = 100;

/** The live view on a terminal; a line an event where it is none. */
export async function createDisplay(io: CliContext, plainOutput: Output): Promise<JobDisplay> {
  if (io.stderr.isTty && !io.json()) return liveDisplay(io, await styleFor(io, io.stderr));
  return io.json() ? { show: () => undefined, end: () => undefined } : plainDisplay(plainOutput);
}

function plainDisplay(output: Output): JobDisplay {
  return {
    show: (item) => {
      if (item.type === 'event') output.write(`${new Date(item.message.at).toISOString()} ${eventLine(item.message.event, plainStyle)}\n`);
    },
    end: () => undefined,
  };
}

function liveDisplay(io: CliContext, style: Style): JobDisplay {
  const painter = createPainter(io.stderr);
  let progress = NO_PROGRESS;
  let tick = 0;
  // A cell is left free: a full line would wrap in some terminals.
  const paint = (): void => painter.paint(frameOf(progress, { style, columns: io.stderr.columns - 1, now: io.now(), tick: tick++ }));
  const timer = setInterval(paint, FRAME_EVERY_MS);
  return {
    show: (item) => {
      progress = progressAfter(progress, item);
      if (item.type === 'event') painter.above(`${style.dim(clock(item.message.at))} ${eventLine(item.message.event, style)}`);
    },
    end: () => {
      clearInterval(timer);
      painter.clear();
    },
  };
}

function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
