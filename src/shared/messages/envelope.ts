import { z } from 'zod';

/** The version of our messages. A reader refuses one it does not know: the message is kept in DEAD, and told. */
export const MESSAGE_VERSION = 1;

/** W3C trace context (https://www.w3.org/TR/trace-context/#traceparent-header). */
export const TraceParent = z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

/** What every message begins with. */
export const envelope = {
  v: z.literal(MESSAGE_VERSION),
  traceparent: TraceParent.optional(),
} as const;

/** A body as our messages have it: the version added. */
export function versioned<T extends object>(body: T): T & { v: typeof MESSAGE_VERSION } {
  return { v: MESSAGE_VERSION, ...body };
}
